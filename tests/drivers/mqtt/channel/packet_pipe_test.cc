#include "drivers/mqtt/channel/packet_pipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>

namespace tidegate {
namespace {

using testing::HasSubstr;
using Passed = PacketPipe::Passed;

constexpr size_t kLimit = size_t{1} << 20;

std::string Packet(char first, size_t length) {
  std::string packet(1, first);
  size_t rest = length;
  do {
    packet.push_back(static_cast<char>(rest % 128 + (rest >= 128 ? 128 : 0)));
    rest /= 128;
  } while (rest > 0);
  return packet.append(length, 'x');
}

// A broker and a library with a pipe between them.
class PacketPipeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> pair{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
    broker_ = UniqueFd(pair[0]);
    library_ = UniqueFd(pair[1]);
    ASSERT_TRUE(pipe_.Open(ChannelOptions(), library_.get()).ok());
  }
  static std::string ReadAll(int fd) {
    std::string all;
    std::array<char, 65'536> buffer;
    for (;;) {
      const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count <= 0) return all;
      all.append(buffer.data(), static_cast<size_t>(count));
    }
  }
  // Sends as much as there is room for.
  void FromBroker(std::string& bytes) {
    const ssize_t count = ::send(broker_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) bytes.erase(0, static_cast<size_t>(count));
  }
  // Until everything has been sent and passed on; returns what the library has read.
  std::string PassAll(std::string bytes) {
    std::string read;
    for (;;) {
      FromBroker(bytes);
      const Result<Passed> passed = pipe_.PassOn();
      EXPECT_TRUE(passed.ok());
      if (!passed.ok() || (*passed == Passed::kNothing && bytes.empty())) return read;
      if (*passed == Passed::kPacket) ++packets_;
      if (pipe_.shortened_from() > 0) shortened_ = pipe_.shortened_from();
      read += ReadAll(library_.get());
    }
  }

  UniqueFd broker_;
  UniqueFd library_;
  PacketPipe pipe_{kLimit, /*may_shorten=*/true};
  size_t packets_ = 0;
  size_t shortened_ = 0;
};

TEST_F(PacketPipeTest, PacketsOfAllSizesArriveAsTheyAre) {
  std::string stream;
  for (const size_t length : {0, 2, 300, 40'000, 2, 300, 500'000, 1, 1'048'576, 7}) {
    stream += Packet('\x32', length);
  }
  EXPECT_EQ(PassAll(stream), stream);
  EXPECT_EQ(packets_, 10U);
  EXPECT_EQ(shortened_, 0U);
  EXPECT_FALSE(pipe_.buffered());
}

TEST_F(PacketPipeTest, WholePacketsArePassedOneAfterTheOther) {
  std::string two = Packet('\x32', 5) + Packet('\x32', 6) + "\x32";
  FromBroker(two);
  EXPECT_EQ(*pipe_.PassOn(), Passed::kPacket);
  EXPECT_TRUE(pipe_.buffered());
  EXPECT_EQ(*pipe_.PassOn(), Passed::kPacket);
  EXPECT_EQ(*pipe_.PassOn(), Passed::kPart);
  EXPECT_EQ(*pipe_.PassOn(), Passed::kNothing);
  EXPECT_FALSE(pipe_.buffered());
}

TEST_F(PacketPipeTest, ALargePublishIsShortenedBetweenOthers) {
  const std::string small = Packet('\x32', 10);
  const std::string read = PassAll(small + Packet('\x32', 9'000'000) + small + small);
  EXPECT_EQ(read, small + Packet('\x32', PacketFilter::kKeptBytes) + small + small);
  EXPECT_EQ(shortened_, 9'000'000U);
  EXPECT_EQ(pipe_.shortened_from(), 0U) << "the last one is whole";
}

TEST_F(PacketPipeTest, WhatArrivedBeforeTheEndIsPassedOnBeforeIt) {
  std::string last = Packet('\x20', 2);
  FromBroker(last);
  broker_ = UniqueFd();
  EXPECT_EQ(*pipe_.PassOn(), Passed::kPacket);
  const Result<Passed> end = pipe_.PassOn();
  ASSERT_FALSE(end.ok());
  EXPECT_THAT(end.error().message, HasSubstr("closed the connection"));
}

TEST_F(PacketPipeTest, AViolationEndsTheConnection) {
  std::string bad = Packet('\x90', kLimit + 1).substr(0, 100);
  FromBroker(bad);
  const Result<Passed> end = pipe_.PassOn();
  ASSERT_FALSE(end.ok());
  EXPECT_THAT(end.error().message, HasSubstr("violates the protocol"));
}

TEST_F(PacketPipeTest, WhatTheLibraryWritesWaitsForRoom) {
  const std::string block(10'000, 'p');
  std::string read;
  size_t written = 0;
  while (!pipe_.unwritten()) {
    ASSERT_EQ(::send(library_.get(), block.data(), block.size(), MSG_DONTWAIT), 10'000);
    written += block.size();
    while (pipe_.Collect()) {
    }
    ASSERT_TRUE(pipe_.Flush().ok());
  }
  while (read.size() < written) {
    read += ReadAll(broker_.get());
    ASSERT_TRUE(pipe_.Flush().ok());
  }
  EXPECT_FALSE(pipe_.unwritten());
  EXPECT_EQ(read, std::string(written, 'p'));
}

TEST_F(PacketPipeTest, ACertificateThatCannotBeReadIsNamed) {
  PacketPipe pipe(kLimit, true);
  ChannelOptions options;
  options.tls = true;
  options.host = "localhost";
  options.ca_file = "/nonexistent/ca.pem";
  const Status status = pipe.Open(options, library_.get());
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("/nonexistent/ca.pem"));
}

}  // namespace
}  // namespace tidegate
