// The contract of ByteStream, on both implementations; then what only a terminal has.
#include "drivers/serial/byte_stream.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "drivers/serial/termios_stream.h"
#include "tests/drivers/serial/pseudo_terminal.h"
#include "tests/drivers/serial/scripted_stream.h"

namespace tidegate {
namespace {

class DeviceUnderTest {
 public:
  virtual ~DeviceUnderTest() = default;
  virtual ByteStream& stream() = 0;
  virtual void Send(std::string_view bytes) = 0;
  virtual void Unplug() = 0;
  virtual void Plug() = 0;
  // Until the stream's fd says that there is something to read, the end included.
  virtual void AwaitReadable() = 0;
};

class Scripted final : public DeviceUnderTest {
 public:
  ByteStream& stream() override { return stream_; }
  void Send(std::string_view bytes) override { device_.Send(bytes); }
  void Unplug() override { device_.Unplug(); }
  void Plug() override { device_.Plug(); }
  void AwaitReadable() override {}

 private:
  ScriptedDevice device_;
  ScriptedStream stream_{device_};
};

class Terminal final : public DeviceUnderTest {
 public:
  ByteStream& stream() override { return stream_; }
  void Send(std::string_view bytes) override { terminal_.Send(bytes); }
  void Unplug() override { terminal_.Unplug(); }
  void Plug() override { terminal_.Plug(); }
  void AwaitReadable() override {
    pollfd poll_for{.fd = stream_.fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&poll_for, 1, 5'000), 1);
  }

 private:
  PseudoTerminal terminal_;
  TermiosStream stream_{terminal_.path(), LineFormat{}};
};

struct Implementation {
  const char* name;
  std::function<std::unique_ptr<DeviceUnderTest>()> make;
};

class ByteStreamTest : public testing::TestWithParam<Implementation> {
 protected:
  ByteStream& stream() { return device_->stream(); }
  // Reads until `count` bytes have come, in pieces of at most `piece`.
  std::string ReadBytes(size_t count, size_t piece = 64) {
    std::string text;
    std::string buffer(piece, '\0');
    while (text.size() < count) {
      device_->AwaitReadable();
      const Result<size_t> got = stream().Read(buffer);
      EXPECT_TRUE(got.ok());
      if (!got.ok() || *got == 0) break;
      EXPECT_LE(*got, piece);
      text.append(buffer, 0, *got);
    }
    return text;
  }
  Result<size_t> ReadOnce() {
    std::array<char, 16> buffer;
    return stream().Read(buffer);
  }

  std::unique_ptr<DeviceUnderTest> device_ = GetParam().make();
};

TEST_P(ByteStreamTest, GivesBytesAsTheyWereSent) {
  ASSERT_TRUE(stream().Open().ok());
  EXPECT_GE(stream().fd(), 0);
  // Every byte that a terminal in any mode but raw would take for itself.
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  device_->Send(all);
  EXPECT_EQ(ReadBytes(all.size(), 10), all);
}

TEST_P(ByteStreamTest, NothingThereIsNoError) {
  ASSERT_TRUE(stream().Open().ok());
  EXPECT_EQ(ReadOnce().value(), 0u);
  device_->Send("a");
  EXPECT_EQ(ReadBytes(1), "a");
  EXPECT_EQ(ReadOnce().value(), 0u);
}

TEST_P(ByteStreamTest, ADeviceThatIsAwayIsUnavailable) {
  device_->Unplug();
  for (int i = 0; i < 3; ++i) {
    const Status status = stream().Open();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(stream().fd(), -1);
  }
  device_->Plug();
  EXPECT_TRUE(stream().Open().ok());
}

TEST_P(ByteStreamTest, UnplugEndsTheStreamAndReplugBringsItBack) {
  ASSERT_TRUE(stream().Open().ok());
  device_->Unplug();
  device_->AwaitReadable();
  const Result<size_t> got = ReadOnce();
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
  stream().Close();
  EXPECT_FALSE(stream().Open().ok());

  device_->Plug();
  ASSERT_TRUE(stream().Open().ok());
  device_->Send("again");
  EXPECT_EQ(ReadBytes(5), "again");
}

TEST_P(ByteStreamTest, OpensAndClosesAsOftenAsOneLikes) {
  stream().Close();
  EXPECT_TRUE(stream().Open().ok());
  EXPECT_TRUE(stream().Open().ok());
  stream().Close();
  stream().Close();
  EXPECT_EQ(stream().fd(), -1);
  ASSERT_TRUE(stream().Open().ok());
  EXPECT_EQ(stream().errors().overruns, 0u);
  EXPECT_EQ(stream().Description(), "9600 8N1");
}

INSTANTIATE_TEST_SUITE_P(
    All, ByteStreamTest,
    testing::Values(Implementation{"Scripted", [] { return std::make_unique<Scripted>(); }},
                    Implementation{"Terminal", [] { return std::make_unique<Terminal>(); }}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(TermiosStreamTest, SetsEveryRateThatTheOptionsAllow) {
  PseudoTerminal terminal;
  int rates = 0;
  for (unsigned baud = 100; baud <= 4'000'000; baud += 100) {
    if (!IsBaudRate(baud)) continue;
    ++rates;
    TermiosStream stream(terminal.path(), LineFormat{.baud = baud});
    ASSERT_TRUE(stream.Open().ok());
    EXPECT_EQ(stream.Description(), std::to_string(baud) + " 8N1");
  }
  EXPECT_EQ(rates, 20);
}

TEST(TermiosStreamTest, SaysWhatTheDeviceDidNotTake) {
  PseudoTerminal terminal;
  TermiosStream stream(terminal.path(), LineFormat{.parity = Parity::kEven, .data_bits = 7});
  ASSERT_TRUE(stream.Open().ok());
  EXPECT_THAT(stream.Description(), testing::HasSubstr("did not take 9600 7E1"));
}

TEST(TermiosStreamTest, KeepsOthersOut) {
  if (geteuid() == 0) GTEST_SKIP() << "root may open a device that is locked";
  PseudoTerminal terminal;
  TermiosStream stream(terminal.path(), LineFormat{});
  ASSERT_TRUE(stream.Open().ok());
  TermiosStream second(terminal.path(), LineFormat{});
  const Status status = second.Open();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, testing::HasSubstr("another program has it"));
}

TEST(TermiosStreamTest, WhatIsNoTerminalIsUnavailable) {
  for (const char* path : {"/dev/null", "/", "/etc/passwd", "/nowhere/at/all"}) {
    TermiosStream stream(path, LineFormat{});
    const Status status = stream.Open();
    ASSERT_FALSE(status.ok()) << path;
    EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(status.error().message, testing::HasSubstr(path));
    EXPECT_EQ(stream.fd(), -1);
  }
}

}  // namespace
}  // namespace tidegate
