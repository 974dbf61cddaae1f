// Real threads; what they wait for is released by the test.
#include "reader/serve/query_pool.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <latch>

#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_query_store.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class QueryPoolTest : public testing::Test {
 protected:
  void Start(const QueryPool::Options& options) {
    pool_ = std::make_unique<QueryPool>(
        options, [this]() -> Result<std::unique_ptr<QueryStore>> { return database_.NewStore(); },
        clock_, log_);
    ASSERT_TRUE(pool_->Start().ok());
  }
  http::Reply Note() {
    return [this](const http::Response& response) { statuses_.push_back(response.status); };
  }
  static QueryPool::Job Ready() {
    return [](QueryStore&, milliseconds) { return http::Response{}; };
  }
  // Collects until that many answers are there.
  void Await(size_t answers) {
    while (statuses_.size() < answers) {
      pollfd finished{.fd = pool_->fd(), .events = POLLIN, .revents = 0};
      ASSERT_EQ(::poll(&finished, 1, 10'000), 1);
      pool_->Collect();
    }
  }

  // A job that holds a thread until the release; returns when it runs.
  void Occupy(std::latch& release) {
    const auto running = std::make_shared<std::latch>(1);
    ASSERT_TRUE(pool_->Submit(
        [running, &release](QueryStore&, milliseconds) {
          running->count_down();
          release.wait();
          return http::Response{};
        },
        Note()));
    running->wait();
  }

  FakeClock clock_;
  Log log_{LogLevel::kError};
  FakeDatabase database_;
  std::vector<int> statuses_;
  std::unique_ptr<QueryPool> pool_;
};

TEST_F(QueryPoolTest, AJobGetsAStoreAndTheTimeThatIsLeft) {
  Start({.threads = 1, .deadline = seconds(5)});
  milliseconds left{0};
  ASSERT_TRUE(pool_->Submit(
      [&left](QueryStore& store, milliseconds time) {
        left = time;
        return http::Response{.status = store.Ping(time).ok() ? 200 : 503};
      },
      Note()));
  EXPECT_TRUE(pool_->NextDeadline());
  Await(1);
  EXPECT_EQ(statuses_[0], 200);
  EXPECT_EQ(left, seconds(5));
  EXPECT_FALSE(pool_->NextDeadline());
}

TEST_F(QueryPoolTest, AFullQueueRefuses) {
  Start({.threads = 1, .queue = 2});
  std::latch release(1);
  Occupy(release);
  EXPECT_TRUE(pool_->Submit(Ready(), Note()));
  EXPECT_TRUE(pool_->Submit(Ready(), Note()));
  EXPECT_FALSE(pool_->Submit(Ready(), Note()));
  release.count_down();
  Await(3);
  EXPECT_EQ(statuses_, (std::vector{200, 200, 200}));
  EXPECT_TRUE(pool_->Submit(Ready(), Note()));
  Await(4);
}

TEST_F(QueryPoolTest, ALateJobIsAnsweredOnceAndThoseBehindItAreNotRun) {
  Start({.threads = 1, .deadline = seconds(5)});
  std::latch release(1);
  Occupy(release);
  bool ran = false;
  ASSERT_TRUE(pool_->Submit(
      [&ran](QueryStore&, milliseconds) {
        ran = true;
        return http::Response{};
      },
      Note()));
  clock_.Advance(seconds(5));
  pool_->Collect();
  EXPECT_EQ(statuses_, (std::vector{504, 504}));
  release.count_down();
  ASSERT_TRUE(pool_->Submit(Ready(), Note()));
  Await(3);
  EXPECT_EQ(statuses_, (std::vector{504, 504, 200}));
  EXPECT_FALSE(ran);
}

TEST_F(QueryPoolTest, WithoutAStoreTheAnswerIs503AndTheNextJobTriesAgain) {
  bool away = true;
  pool_ = std::make_unique<QueryPool>(
      QueryPool::Options{.threads = 1},
      [this, &away]() -> Result<std::unique_ptr<QueryStore>> {
        if (std::exchange(away, false)) return Error{ErrorCode::kUnavailable, "no such host"};
        return database_.NewStore();
      },
      clock_, log_);
  ASSERT_TRUE(pool_->Start().ok());
  ASSERT_TRUE(pool_->Submit(Ready(), Note()));
  ASSERT_TRUE(pool_->Submit(Ready(), Note()));
  Await(2);
  EXPECT_EQ(statuses_, (std::vector{503, 200}));
}

TEST_F(QueryPoolTest, WhatWaitsAtTheEndIsDropped) {
  Start({.threads = 2});
  for (int i = 0; i < 50; ++i) pool_->Submit(Ready(), Note());
  pool_.reset();
  EXPECT_TRUE(statuses_.empty());
}

TEST(QueryPoolDeathTest, AJobForAPoolThatIsNotStartedAborts) {
  const FakeClock clock;
  const Log log{LogLevel::kError, [](LogLevel, std::string_view) {}};
  QueryPool pool({}, {}, clock, log);
  EXPECT_DEATH(pool.Submit({}, {}), "the pool is started");
}

}  // namespace
}  // namespace tidegate::reader
