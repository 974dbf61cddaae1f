// What a client, or many of them, can do to the control socket, on a clock that the test moves.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "agent/control/control_socket.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;

constexpr int kMostFds = 256;
constexpr size_t kMostClients = 16;

class ControlClientsTest : public testing::Test {
 protected:
  ControlClientsTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tidegate-clients-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~ControlClientsTest() override { std::filesystem::remove_all(folder_); }

  void SetUp() override {
    auto listening = ControlSocket::Listen(folder_ + "/control.sock", loop_, clock_, log_,
                                           [] { return std::string(R"({"x":1})"); });
    ASSERT_TRUE(listening.ok()) << listening.error().message;
    socket_ = std::move(listening).value();
    for (int fd = 0; fd < kMostFds; ++fd) {
      if (loop_.Watching(fd)) listener_ = fd;
    }
    ASSERT_GE(listener_, 0);
  }
  // Returns a client that has sent that much, and whose connection waits to be served.
  UniqueFd Connect(std::string_view sent = "") {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(folder_ + "/control.sock", address.sun_path);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::connect(fd.get(), any, sizeof address), 0);
    EXPECT_EQ(::send(fd.get(), sent.data(), sent.size(), 0), static_cast<ssize_t>(sent.size()));
    return fd;
  }
  // Fires every watch whose descriptor is readable, until none is.
  void Serve() {
    for (bool fired = true; fired; loop_.EndTurn()) {
      fired = false;
      for (int fd = 0; fd < kMostFds; ++fd) {
        pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
        if (!loop_.Watching(fd) || ::poll(&wanted, 1, 0) <= 0) continue;
        fired = loop_.FireReadable(fd) || fired;
      }
    }
  }
  UniqueFd Served(std::string_view sent = "") {
    UniqueFd fd = Connect(sent);
    Serve();
    return fd;
  }
  static std::string Answer(const UniqueFd& fd) {
    char buffer[256];
    const ssize_t count = ::recv(fd.get(), buffer, sizeof buffer, 0);
    return count <= 0 ? "" : std::string(buffer, static_cast<size_t>(count));
  }
  static bool Ended(const UniqueFd& fd) {
    char byte = 0;
    const ssize_t count = ::recv(fd.get(), &byte, 1, MSG_PEEK);
    return count == 0 || (count < 0 && errno == ECONNRESET);  // Reset: its request was not read.
  }

  FakeClock clock_;
  ManualLoop loop_{clock_};
  std::vector<std::string> logged_;
  Log log_{LogLevel::kWarning,
           [this](LogLevel, std::string_view line) { logged_.emplace_back(line); }};
  std::string folder_;
  std::unique_ptr<ControlSocket> socket_;
  int listener_ = -1;
};

TEST_F(ControlClientsTest, ClientsThatAreTurnedAwayAreLoggedOnceAMinute) {
  std::vector<UniqueFd> followers;
  for (size_t i = 0; i < kMostClients; ++i) followers.push_back(Served("tail\n"));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Ended(Served()));
  EXPECT_THAT(logged_, SizeIs(1));
  loop_.Advance(61s);
  EXPECT_TRUE(Ended(Served()));
  EXPECT_THAT(logged_, SizeIs(2));
  EXPECT_THAT(logged_.back(), HasSubstr("100"));
}

TEST_F(ControlClientsTest, AClientThatAsksNothingDoesNotHoldItsPlace) {
  const UniqueFd follower = Served("tail\n");
  std::vector<UniqueFd> silent;
  for (size_t i = 1; i < kMostClients; ++i) silent.push_back(Served(i % 2 == 0 ? "stat" : ""));
  EXPECT_TRUE(Ended(Served("status\n"))) << "there is no room";
  loop_.Advance(30s);
  loop_.EndTurn();
  for (const UniqueFd& client : silent) EXPECT_TRUE(Ended(client));
  EXPECT_EQ(Answer(Served("status\n")), "{\"x\":1}\n");
  EXPECT_FALSE(Ended(follower));
  EXPECT_TRUE(socket_->HasFollowers());
}

TEST_F(ControlClientsTest, ARequestThatWaitedForTheAgentIsAnswered) {
  const UniqueFd client = Served("stat");
  EXPECT_EQ(::send(client.get(), "us\n", 3, 0), 3);
  loop_.Advance(30s);  // The timer fires before the descriptor is served.
  EXPECT_EQ(Answer(client), "{\"x\":1}\n");
}

TEST_F(ControlClientsTest, WithoutADescriptorForAClientTheLoopRests) {
  const UniqueFd client = Connect("status\n");
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = UniqueFd(::fcntl(listener_, F_DUPFD_CLOEXEC, 0)).get();
  const rlimit none_left{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none_left), 0);
  loop_.FireReadable(listener_);
  EXPECT_FALSE(loop_.WantsReadable(listener_));
  loop_.Advance(1s);
  EXPECT_TRUE(loop_.FireReadable(listener_)) << "it tries again";
  EXPECT_FALSE(loop_.WantsReadable(listener_));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_THAT(logged_, SizeIs(1));
  loop_.Advance(1s);
  Serve();
  EXPECT_EQ(Answer(client), "{\"x\":1}\n");
}

}  // namespace
}  // namespace tidegate
