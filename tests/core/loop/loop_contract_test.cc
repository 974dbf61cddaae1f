// What core/loop/loop.h promises, on each loop that waits for real descriptors and real time.
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <functional>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/loop/sd_event_handle.h"
#include "core/loop/sd_event_loop.h"
#include "core/unique_fd.h"
#include "tests/support/poll_loop.h"

namespace tidegate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// The tests' loop: one step is a whole turn.
class OnPoll {
 public:
  Loop& loop() { return loop_; }
  void Step(milliseconds wait) { loop_.RunOnce(wait); }

 private:
  PollLoop loop_;
};

// The programs' loop: one step serves one source.
class OnSdEvent {
 public:
  Loop& loop() { return loop_; }
  void Step(milliseconds wait) {
    sd_event_run(event_.get(), static_cast<uint64_t>(microseconds(wait).count()));
  }

 private:
  static EventHandle NewEvent() {
    sd_event* event = nullptr;
    sd_event_new(&event);
    return EventHandle(event);
  }

  EventHandle event_ = NewEvent();
  SdEventLoop loop_{event_.get()};
};

template <typename Host>
class LoopContractTest : public testing::Test {
 protected:
  // An eventfd is readable after Signal() and until Drain().
  static UniqueFd NewFd() { return UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }
  static void Signal(const UniqueFd& fd) { ASSERT_EQ(::eventfd_write(fd.get(), 1), 0); }
  static void Drain(const UniqueFd& fd) {
    eventfd_t count = 0;
    ASSERT_EQ(::eventfd_read(fd.get(), &count), 0);
  }

  Loop& loop() { return host_.loop(); }
  bool RunUntil(const std::function<bool()>& done) {
    const SystemClock clock;
    const BootTime deadline = clock.SinceBoot() + std::chrono::seconds(10);
    while (!done() && clock.SinceBoot() < deadline) host_.Step(milliseconds(10));
    return done();
  }
  // Serves what is ready now, more often than any test has sources.
  void RunWhatIsReady() {
    for (int step = 0; step < 10; ++step) host_.Step(milliseconds(0));
  }

  UniqueFd first_fd_ = NewFd();
  UniqueFd second_fd_ = NewFd();

 private:
  Host host_;
};

using Hosts = testing::Types<OnPoll, OnSdEvent>;
TYPED_TEST_SUITE(LoopContractTest, Hosts);

TYPED_TEST(LoopContractTest, AReadyDescriptorIsReportedUntilItIsDrained) {
  int served = 0;
  const auto watch = this->loop().WatchFd(this->first_fd_.get(), [&](Ready ready) {
    EXPECT_TRUE(ready.readable);
    EXPECT_FALSE(ready.hung_up);
    if (++served == 2) this->Drain(this->first_fd_);
  });
  this->RunWhatIsReady();
  EXPECT_EQ(served, 0);
  this->Signal(this->first_fd_);
  EXPECT_TRUE(this->RunUntil([&] { return served == 2; }));
  this->RunWhatIsReady();
  EXPECT_EQ(served, 2);
}

TYPED_TEST(LoopContractTest, OnlyWhatAWatchWantsIsReported) {
  int served = 0;
  Ready last;
  const auto watch = this->loop().WatchFd(this->first_fd_.get(), [&](Ready ready) {
    ++served;
    last = ready;
  });
  watch->Want(false, false);
  this->Signal(this->first_fd_);
  this->RunWhatIsReady();
  EXPECT_EQ(served, 0);
  watch->Want(false, true);
  EXPECT_TRUE(this->RunUntil([&] { return served > 0; }));
  EXPECT_TRUE(last.writable);
  EXPECT_FALSE(last.readable);
}

TYPED_TEST(LoopContractTest, AHangUpIsReportedToAWatchThatWantsNothing) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const UniqueFd reader(pipe[0]);
  UniqueFd writer(pipe[1]);
  bool hung_up = false;
  const auto watch =
      this->loop().WatchFd(reader.get(), [&](Ready ready) { hung_up = ready.hung_up; });
  watch->Want(false, false);
  writer = UniqueFd();
  EXPECT_TRUE(this->RunUntil([&] { return hung_up; }));
}

TYPED_TEST(LoopContractTest, AWatchMayDestroyItselfAndOthersInItsCallback) {
  std::unique_ptr<FdWatch> first;
  std::unique_ptr<FdWatch> second;
  int served = 0;
  const auto destroy_both = [&](Ready) {
    ++served;
    first.reset();
    second.reset();
  };
  first = this->loop().WatchFd(this->first_fd_.get(), destroy_both);
  second = this->loop().WatchFd(this->second_fd_.get(), destroy_both);
  this->Signal(this->first_fd_);
  this->Signal(this->second_fd_);
  EXPECT_TRUE(this->RunUntil([&] { return served > 0; }));
  this->RunWhatIsReady();
  EXPECT_EQ(served, 1);
}

TYPED_TEST(LoopContractTest, ATimerFiresOnceAndMayBeArmedFromItsCallback) {
  int fired = 0;
  std::unique_ptr<Timer> timer = this->loop().AddTimer([&] {
    EXPECT_FALSE(timer->armed());
    if (++fired < 3) timer->After(milliseconds(0));
  });
  EXPECT_FALSE(timer->armed());
  timer->After(milliseconds(1));
  EXPECT_TRUE(timer->armed());
  EXPECT_TRUE(this->RunUntil([&] { return fired == 3; }));
  this->RunWhatIsReady();
  EXPECT_EQ(fired, 3);
  EXPECT_FALSE(timer->armed());
}

TYPED_TEST(LoopContractTest, ArmingAgainReplacesTheEarlierArming) {
  int fired = 0;
  const auto timer = this->loop().AddTimer([&] { ++fired; });
  timer->After(std::chrono::hours(1));
  timer->After(milliseconds(-1));
  EXPECT_TRUE(this->RunUntil([&] { return fired == 1; }));
  timer->After(milliseconds(0));
  timer->After(std::chrono::hours(1));
  this->RunWhatIsReady();
  EXPECT_EQ(fired, 1);
  EXPECT_TRUE(timer->armed());
}

TYPED_TEST(LoopContractTest, ACancelledTimerDoesNotFire) {
  bool fired = false;
  const auto timer = this->loop().AddTimer([&] { fired = true; });
  timer->After(milliseconds(0));
  timer->Cancel();
  EXPECT_FALSE(timer->armed());
  this->RunWhatIsReady();
  EXPECT_FALSE(fired);
}

TYPED_TEST(LoopContractTest, ATimerMayDestroyItselfInItsCallback) {
  std::unique_ptr<Timer> timer;
  int fired = 0;
  timer = this->loop().AddTimer([&] {
    ++fired;
    timer.reset();
  });
  timer->After(milliseconds(0));
  EXPECT_TRUE(this->RunUntil([&] { return fired > 0; }));
  this->RunWhatIsReady();
  EXPECT_EQ(fired, 1);
}

TYPED_TEST(LoopContractTest, ATurnEndRunsOnceAfterTheCallbackThatScheduledIt) {
  std::string order;
  const auto end = this->loop().AddTurnEnd([&] { order += "end "; });
  const auto watch = this->loop().WatchFd(this->first_fd_.get(), [&](Ready) {
    this->Drain(this->first_fd_);
    end->Schedule();
    end->Schedule();
    order += "fd ";
  });
  this->Signal(this->first_fd_);
  EXPECT_TRUE(this->RunUntil([&] { return order.ends_with("end "); }));
  this->RunWhatIsReady();
  EXPECT_EQ(order, "fd end ");
}

TYPED_TEST(LoopContractTest, ATurnEndIsServedWhileADescriptorStaysReady) {
  bool ended = false;
  const auto end = this->loop().AddTurnEnd([&] { ended = true; });
  const auto watch = this->loop().WatchFd(this->first_fd_.get(), [&](Ready) { end->Schedule(); });
  this->Signal(this->first_fd_);
  EXPECT_TRUE(this->RunUntil([&] { return ended; }));
}

TYPED_TEST(LoopContractTest, ATurnEndMayScheduleItselfAndDestroyItself) {
  std::unique_ptr<TurnEnd> end;
  int runs = 0;
  end = this->loop().AddTurnEnd([&] {
    if (++runs < 3) {
      end->Schedule();
    } else {
      end.reset();
    }
  });
  end->Schedule();
  EXPECT_TRUE(this->RunUntil([&] { return runs == 3; }));
  this->RunWhatIsReady();
  EXPECT_EQ(runs, 3);
}

}  // namespace
}  // namespace tidegate
