#include "uplink/connect_attempts.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>

namespace tidegate {
namespace {

using namespace std::chrono_literals;

constexpr const char* kBroker = "kafka-1:9092";
constexpr BootTime kStart = 1h;
constexpr auto kPatience = ConnectAttempts::kPatience;

class Socket {
 public:
  explicit Socket(int flags = 0) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)) {}
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }
  // Of what has happened to it.
  int error() const {
    int code = 0;
    socklen_t size = sizeof(code);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &size);
    return code;
  }
  bool Shut() const {
    pollfd poller{fd_, POLLOUT, 0};
    return poll(&poller, 1, 0) == 1 && (poller.revents & POLLHUP) != 0;
  }

 private:
  const int fd_;
};

// Of a host on loopback.
class Listener {
 public:
  Listener() {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    EXPECT_EQ(bind(socket_.fd(), reinterpret_cast<sockaddr*>(&address_), size), 0);
    EXPECT_EQ(listen(socket_.fd(), 0), 0);
    getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&address_), &size);
  }
  int Connect(int fd) const {
    return connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof(address_));
  }

 private:
  Socket socket_;
  sockaddr_in address_{};
};

class ConnectAttemptsTest : public ::testing::Test {
 protected:
  // Its queue of one is full then, so that it answers no SYN, like a broken link.
  ConnectAttemptsTest() { EXPECT_EQ(silent_.Connect(in_queue_.fd()), 0); }

  std::unique_ptr<Socket> Begin(const Listener& listener, const std::string& broker = kBroker) {
    auto socket = std::make_unique<Socket>(SOCK_NONBLOCK);
    EXPECT_EQ(listener.Connect(socket->fd()), -1);
    EXPECT_EQ(errno, EINPROGRESS);
    attempts_.Began(socket->fd(), broker);
    return socket;
  }
  void End(std::unique_ptr<Socket> socket,
           std::optional<std::chrono::microseconds> round_trip = std::nullopt) {
    attempts_.Ends(socket->fd(), round_trip);
  }
  // A connection that was, with such a round trip.
  void HasBeenConnected(std::chrono::microseconds round_trip) {
    const Listener listener;
    End(Begin(listener), round_trip);
  }

  ConnectAttempts attempts_;
  Listener silent_;
  Socket in_queue_;
};

TEST_F(ConnectAttemptsTest, WithoutAnAnswerItEndsWhenItsTimeIsOver) {
  HasBeenConnected(20ms);
  const auto socket = Begin(silent_);
  EXPECT_EQ(attempts_.EndSlow(kStart), kStart + kPatience);
  EXPECT_EQ(attempts_.EndSlow(kStart + kPatience - 1ns), kStart + kPatience);
  EXPECT_FALSE(socket->Shut());
  EXPECT_EQ(attempts_.EndSlow(kStart + kPatience), std::nullopt);
  EXPECT_TRUE(socket->Shut());
  EXPECT_EQ(socket->error(), ECONNRESET);
}

TEST_F(ConnectAttemptsTest, AConnectionThatIsThereStays) {
  HasBeenConnected(20ms);
  const Listener listener;
  const auto socket = Begin(listener);
  pollfd poller{socket->fd(), POLLOUT, 0};
  ASSERT_EQ(poll(&poller, 1, 10'000), 1);
  EXPECT_EQ(attempts_.EndSlow(kStart), std::nullopt);
  EXPECT_EQ(attempts_.EndSlow(kStart + 1h), std::nullopt);
  EXPECT_FALSE(socket->Shut());
}

TEST_F(ConnectAttemptsTest, TheFirstAndEveryThirtiethOfABrokerHaveTime) {
  for (int i = 0; i < 61; ++i) {
    auto socket = Begin(silent_);
    const auto deadline = attempts_.EndSlow(kStart);
    EXPECT_EQ(deadline.has_value(), i % 30 != 0) << i;
    End(std::move(socket));
  }
  const auto other = Begin(silent_, "kafka-2:9092");
  EXPECT_EQ(attempts_.EndSlow(kStart), std::nullopt);
}

TEST_F(ConnectAttemptsTest, ASlowLinkHasThriceItsRoundTrip) {
  HasBeenConnected(600ms);
  auto socket = Begin(silent_);
  EXPECT_EQ(attempts_.EndSlow(kStart), kStart + 1800ms);
  End(std::move(socket));
  HasBeenConnected(1ms);
  socket = Begin(silent_);
  EXPECT_EQ(attempts_.EndSlow(kStart), kStart + kPatience);
}

TEST_F(ConnectAttemptsTest, WhatHasBeenClosedIsNotTouched) {
  HasBeenConnected(20ms);
  const auto socket = Begin(silent_);
  EXPECT_NE(attempts_.EndSlow(kStart), std::nullopt);
  attempts_.Ends(socket->fd(), std::nullopt);  // The fd is somebody else's from now on.
  EXPECT_EQ(attempts_.EndSlow(kStart + 1h), std::nullopt);
  EXPECT_FALSE(socket->Shut());
}

TEST_F(ConnectAttemptsTest, OnlyAConnectionThatWasHasARoundTrip) {
  const auto without = Begin(silent_);
  EXPECT_EQ(ShortestRoundTrip(without->fd()), std::nullopt);
  const auto measured = ShortestRoundTrip(in_queue_.fd());
  ASSERT_TRUE(measured);
  EXPECT_GT(*measured, 0us);
  EXPECT_LT(*measured, 1s);
}

}  // namespace
}  // namespace tidegate
