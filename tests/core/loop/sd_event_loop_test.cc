// The loop that runs by itself, and what it refuses. What it shares with other loops is in
// loop_contract_test.cc.
#include "core/loop/sd_event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "core/unique_fd.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;

class SdEventLoopTest : public testing::Test {
 protected:
  std::unique_ptr<SdEventLoop> loop_ = SdEventLoop::Make().value();
  UniqueFd fd_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
};
using SdEventLoopDeathTest = SdEventLoopTest;

TEST_F(SdEventLoopTest, RunsUntilACallbackStopsIt) {
  int fired = 0;
  std::unique_ptr<Timer> timer = loop_->AddTimer([&] {
    if (++fired == 3) return loop_->Stop();
    timer->After(milliseconds(1));
  });
  timer->After(milliseconds(1));
  EXPECT_TRUE(loop_->Run().ok());
  EXPECT_EQ(fired, 3);
}

TEST_F(SdEventLoopTest, AStopBeforeTheRunEndsItAtOnce) {
  loop_->Stop();
  EXPECT_TRUE(loop_->Run().ok());
}

TEST_F(SdEventLoopTest, HandlesStayValidWhenTheLoopIsGone) {
  const auto watch = loop_->WatchFd(fd_.get(), [](Ready) {});
  const auto timer = loop_->AddTimer([] {});
  const auto end = loop_->AddTurnEnd([] {});
  loop_.reset();
  watch->Want(true, true);
  timer->After(milliseconds(0));
  end->Schedule();
}

TEST_F(SdEventLoopTest, WithoutFileDescriptorsThereIsNoLoop) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto made = SdEventLoop::Make();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(made.error().message, "create event loop: Too many open files");
}

TEST_F(SdEventLoopTest, AFileThatEpollCannotWatchIsNeverReported) {
  const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file.valid());
  const auto watch = loop_->WatchFd(file.get(), [](Ready) { FAIL(); });
  watch->Want(true, true);
  const auto timer = loop_->AddTimer([&] { loop_->Stop(); });
  timer->After(milliseconds(1));
  EXPECT_TRUE(loop_->Run().ok());
}

TEST_F(SdEventLoopDeathTest, WatchingAClosedDescriptorAborts) {
  EXPECT_EXIT(loop_->WatchFd(-1, [](Ready) {}), testing::KilledBySignal(SIGABRT),
              "a watched file descriptor is open");
}

TEST_F(SdEventLoopDeathTest, WatchingADescriptorTwiceAborts) {
  const auto watch_twice = [this] {
    // An event belongs to the process that made it, and the test runs in a child.
    const auto loop = SdEventLoop::Make().value();
    const auto watch = loop->WatchFd(fd_.get(), [](Ready) {});
    return loop->WatchFd(fd_.get(), [](Ready) {});
  };
  EXPECT_EXIT(watch_twice(), testing::KilledBySignal(SIGABRT), "a file descriptor is watched once");
}

}  // namespace
}  // namespace tidegate
