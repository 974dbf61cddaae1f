#include "reader/land/poll_loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "core/unique_fd.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;

class PollLoopTest : public testing::Test {
 protected:
  void Signal() { ASSERT_EQ(::eventfd_write(fd_.get(), 1), 0); }

  SystemClock clock_;
  PollLoop loop_{clock_};
  UniqueFd fd_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
};

TEST_F(PollLoopTest, AReadyDescriptorIsServed) {
  int served = 0;
  const auto watch =
      loop_.WatchFd(fd_.get(), [&](Ready ready) { served += ready.readable ? 1 : 0; });
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(served, 0);
  Signal();
  loop_.RunOnce(milliseconds(1'000));
  EXPECT_EQ(served, 1);
  watch->Want(false, false);
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(served, 1);
}

TEST_F(PollLoopTest, AWatchMayEndItselfAndOthers) {
  std::unique_ptr<FdWatch> first;
  std::unique_ptr<FdWatch> second;
  int served = 0;
  const auto end_both = [&](Ready) {
    ++served;
    first.reset();
    second.reset();
  };
  first = loop_.WatchFd(fd_.get(), end_both);
  second = loop_.WatchFd(fd_.get(), end_both);
  Signal();
  loop_.RunOnce(milliseconds(1'000));
  EXPECT_EQ(served, 1);
}

TEST_F(PollLoopTest, ATimerFiresOnceAndCanBeArmedFromItsCallback) {
  int fired = 0;
  std::unique_ptr<Timer> timer = loop_.AddTimer([&] {
    if (++fired < 3) timer->After(milliseconds(0));
    if (fired == 3) loop_.Stop();
  });
  timer->After(milliseconds(1));
  EXPECT_TRUE(timer->armed());
  loop_.Run();
  EXPECT_EQ(fired, 3);
  EXPECT_FALSE(timer->armed());
}

TEST_F(PollLoopTest, ACancelledTimerStaysSilent) {
  bool fired = false;
  const auto timer = loop_.AddTimer([&] { fired = true; });
  timer->After(milliseconds(0));
  timer->Cancel();
  loop_.RunOnce(milliseconds(0));
  EXPECT_FALSE(fired);
}

TEST_F(PollLoopTest, TurnEndsRunAfterTheDescriptorsOfTheTurn) {
  std::string order;
  const auto end = loop_.AddTurnEnd([&] { order += "end "; });
  const auto watch = loop_.WatchFd(fd_.get(), [&](Ready) {
    order += "fd ";
    end->Schedule();
    end->Schedule();
  });
  Signal();
  loop_.RunOnce(milliseconds(1'000));
  EXPECT_EQ(order, "fd end ");
}

}  // namespace
}  // namespace tidegate::reader
