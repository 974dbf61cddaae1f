#include "drivers/mqtt/channel/packet_filter.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>

namespace tidegate {
namespace {

constexpr size_t kLimit = PacketFilter::kKeptBytes;

std::string Packet(char first, size_t length, char fill = 'x') {
  std::string packet(1, first);
  size_t rest = length;
  do {
    packet.push_back(static_cast<char>(rest % 128 + (rest >= 128 ? 128 : 0)));
    rest /= 128;
  } while (rest > 0);
  return packet.append(length, fill);
}

class PacketFilterTest : public testing::Test {
 protected:
  // Feeds the bytes in pieces of this size and returns what comes out.
  std::string Feed(std::string_view bytes, size_t piece) {
    std::string out;
    while (!bytes.empty() && !filter_.violated()) {
      std::string_view in = bytes.substr(0, piece);
      bytes.remove_prefix(in.size());
      while (!in.empty() && !filter_.violated()) packets_ += filter_.TakePacket(in, out) ? 1 : 0;
    }
    return out;
  }

  PacketFilter filter_{kLimit, /*may_shorten=*/true};
  int packets_ = 0;
};

TEST_F(PacketFilterTest, PacketsWithinTheLimitPassUnchangedHoweverTheyAreDivided) {
  const std::string stream = Packet('\x20', 2) + Packet('\xd0', 0) + Packet('\x32', 127) +
                             Packet('\x32', 128) + Packet('\x32', 20'000) + Packet('\x32', kLimit);
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{65'536}, stream.size()}) {
    packets_ = 0;
    EXPECT_EQ(Feed(stream, piece), stream) << piece;
    EXPECT_EQ(packets_, 6) << piece;
  }
  EXPECT_EQ(filter_.shortened_from(), 0U);
}

TEST_F(PacketFilterTest, CountsWhatIsWhole) {
  const std::string stream = Packet('\x20', 2) + Packet('\xd0', 0) + Packet('\x32', 300);
  const auto whole = [&](size_t bytes, size_t max_bytes = 1000) {
    return PacketFilter::WholePackets(std::string_view(stream).substr(0, bytes), max_bytes);
  };
  EXPECT_EQ(whole(0).packets, 0U);
  EXPECT_EQ(whole(1).packets, 0U);
  EXPECT_EQ(whole(3).packets, 0U);
  EXPECT_EQ(whole(4).packets, 1U);
  EXPECT_EQ(whole(6).packets, 2U);
  for (size_t bytes = 6; bytes < stream.size(); ++bytes) EXPECT_EQ(whole(bytes).bytes, 6U);
  EXPECT_EQ(whole(stream.size()).packets, 3U);
  EXPECT_EQ(whole(stream.size()).bytes, stream.size());
  EXPECT_EQ(whole(stream.size(), 5).bytes, 4U) << "no more than is wanted";
  EXPECT_EQ(PacketFilter::WholePackets("\x32\xff\xff\xff\xff\xff\xff", 1000).packets, 0U);
}

TEST_F(PacketFilterTest, StopsAtTheEndOfEachPacket) {
  const std::string stream = Packet('\x32', 5, 'a') + Packet('\x32', 5, 'b');
  std::string_view in = stream;
  std::string out;
  EXPECT_TRUE(filter_.TakePacket(in, out));
  EXPECT_EQ(in.size(), stream.size() / 2);
}

TEST_F(PacketFilterTest, APublishThatIsTooLargeIsShortenedAndTheNextOneIsWhole) {
  const std::string next = Packet('\x32', 10, 'n');
  for (const size_t piece : {size_t{1000}, size_t{65'536}}) {
    const std::string out = Feed(Packet('\x32', 60'000'000) + next, piece);
    EXPECT_EQ(out, Packet('\x32', PacketFilter::kKeptBytes) + next) << piece;
  }
  EXPECT_EQ(packets_, 4);
}

TEST_F(PacketFilterTest, TellsHowLargeTheShortenedPacketWas) {
  std::string_view in = "\x32\xff\xff\xff\x7f";  // 256 MiB.
  std::string out;
  EXPECT_FALSE(filter_.TakePacket(in, out));
  EXPECT_EQ(filter_.shortened_from(), 268'435'455U);
  EXPECT_LT(out.capacity(), 1000U) << "nothing is reserved for what is only announced";
}

TEST_F(PacketFilterTest, AnotherPacketThatIsTooLargeIsAViolation) {
  Feed(Packet('\x90', kLimit + 1), 1000);
  EXPECT_TRUE(filter_.violated());
}

TEST_F(PacketFilterTest, WithMqtt5APublishThatIsTooLargeIsAViolation) {
  filter_ = PacketFilter(kLimit, /*may_shorten=*/false);
  EXPECT_EQ(Feed(Packet('\x32', kLimit + 1), 1000), "");
  EXPECT_TRUE(filter_.violated());
}

// The library keeps a PUBLISH of QoS 2 for as long as the broker likes, and answers the others.
TEST_F(PacketFilterTest, WhatTheLibraryWouldQueueWithoutALimitIsAViolation) {
  for (const char first : {'\x34', '\x36', '\x3c', '\x50', '\x62', '\x70', '\xc0', '\xf0'}) {
    filter_ = PacketFilter(kLimit, /*may_shorten=*/true);
    const std::string before = Packet('\x32', 20) + Packet('\xd0', 0);
    const std::string stream = before + Packet(first, 2) + Packet('\x32', 20);
    EXPECT_EQ(Feed(stream, 1000), before) << static_cast<int>(first);
    EXPECT_TRUE(filter_.violated()) << static_cast<int>(first);
    EXPECT_EQ(PacketFilter::WholePackets(stream, 1000).packets, 2U) << "up to that packet";
  }
}

TEST_F(PacketFilterTest, ALengthOfFiveBytesIsAViolation) {
  Feed("\x32\xff\xff\xff\xff\x01", 1);
  EXPECT_TRUE(filter_.violated());
  std::string_view in = "\x20";
  std::string out;
  EXPECT_FALSE(filter_.TakePacket(in, out)) << "and the end";
}

using PacketFilterDeathTest = PacketFilterTest;

TEST_F(PacketFilterDeathTest, ALimitBelowWhatIsKeptIsABug) {
  EXPECT_EXIT(PacketFilter(kLimit - 1, true), testing::KilledBySignal(SIGABRT), "shortened");
}

}  // namespace
}  // namespace tidegate
