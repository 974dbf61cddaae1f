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
using Admission = QueryPool::Admission;

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
  static QueryPool::Job Ready(bool server_answered = true) {
    return [server_answered](QueryStore&, milliseconds) {
      return QueryPool::Outcome{{.status = server_answered ? 200 : 503}, server_answered};
    };
  }
  bool Submit(QueryPool::Job job, QueryPool::Origin origin = {}) {
    return pool_->Submit(std::move(origin), std::move(job), Note()) == Admission::kAccepted;
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
  void Occupy(std::latch& release, QueryPool::Origin origin = {}) {
    const auto running = std::make_shared<std::latch>(1);
    ASSERT_TRUE(Submit(
        [running, &release](QueryStore&, milliseconds) {
          running->count_down();
          release.wait();
          return QueryPool::Outcome{};
        },
        std::move(origin)));
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
  ASSERT_TRUE(Submit([&left](QueryStore& store, milliseconds time) {
    left = time;
    return QueryPool::Outcome{{.status = store.Ping(time).ok() ? 200 : 503}};
  }));
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
  EXPECT_TRUE(Submit(Ready()));
  EXPECT_TRUE(Submit(Ready()));
  EXPECT_FALSE(Submit(Ready()));
  release.count_down();
  Await(3);
  EXPECT_EQ(statuses_, (std::vector{200, 200, 200}));
  EXPECT_TRUE(Submit(Ready()));
  Await(4);
}

TEST_F(QueryPoolTest, ALateJobIsAnsweredOnceAndThoseBehindItAreNotRun) {
  Start({.threads = 1, .deadline = seconds(5)});
  std::latch release(1);
  Occupy(release);
  bool ran = false;
  ASSERT_TRUE(Submit([&ran](QueryStore&, milliseconds) {
    ran = true;
    return QueryPool::Outcome{};
  }));
  clock_.Advance(seconds(5));
  pool_->Collect();
  EXPECT_EQ(statuses_, (std::vector{504, 504}));
  release.count_down();
  ASSERT_TRUE(Submit(Ready()));
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
  ASSERT_TRUE(Submit(Ready()));
  ASSERT_TRUE(Submit(Ready()));
  Await(2);
  EXPECT_EQ(statuses_, (std::vector{503, 200}));
}

TEST_F(QueryPoolTest, WhatWaitsAtTheEndIsDropped) {
  Start({.threads = 2});
  for (int i = 0; i < 50; ++i) Submit(Ready());
  pool_.reset();
  EXPECT_TRUE(statuses_.empty());
}

// A test of the whole: two threads, and one caller whose queries of one server never end.
TEST_F(QueryPoolTest, AServerThatHangsKeepsNoThreadFromOthers) {
  Start({.threads = 2});
  std::latch release(1);
  const QueryPool::Origin bad{.caller = "bad", .server = "tidegate_bad"};
  Occupy(release, bad);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Submit(Ready(), bad));
  EXPECT_TRUE(Submit(Ready(), {.caller = "good"}));
  Await(1);
  release.count_down();
  Await(7);
}

TEST_F(QueryPoolTest, OneCallerFillsOnlyItsShareOfTheQueue) {
  Start({.threads = 1, .queue = 64, .queue_of_caller = 2});
  std::latch release(1);
  Occupy(release, {.caller = "bad"});
  EXPECT_TRUE(Submit(Ready(), {.caller = "bad"}));
  EXPECT_TRUE(Submit(Ready(), {.caller = "bad"}));
  EXPECT_EQ(pool_->Submit({.caller = "bad"}, Ready(), Note()), Admission::kCallerFull);
  EXPECT_TRUE(Submit(Ready(), {.caller = "good"}));
  release.count_down();
  Await(4);
}

TEST_F(QueryPoolTest, AServerThatDoesNotAnswerIsLeftAloneAndTriedAgain) {
  Start({.threads = 2,
         .breaker = {.failures = 3, .pause = {.initial = seconds(1), .max = seconds(10)}}});
  const QueryPool::Origin dead{.caller = "a", .server = "tidegate_dead"};
  for (size_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(Submit(Ready(false), dead));
    Await(i);
  }
  EXPECT_EQ(pool_->servers_down(), 1u);
  EXPECT_EQ(pool_->Submit(dead, Ready(), Note()), Admission::kServerDown);
  EXPECT_TRUE(Submit(Ready(), {.caller = "a"}));  // The common server is another one.
  Await(4);
  clock_.Advance(seconds(11));
  EXPECT_TRUE(Submit(Ready(), dead));
  EXPECT_EQ(pool_->Submit(dead, Ready(), Note()), Admission::kServerDown);  // One at a time.
  Await(5);
  EXPECT_EQ(pool_->servers_down(), 0u);
  EXPECT_TRUE(Submit(Ready(), dead));
  Await(6);
}

// The single query that tries a server again was late in the queue: the next one tries.
TEST_F(QueryPoolTest, ATryThatNeverRanIsMadeAgain) {
  Start({.threads = 1,
         .deadline = seconds(5),
         .breaker = {.failures = 1, .pause = {.initial = seconds(1), .max = seconds(1)}}});
  const QueryPool::Origin dead{.caller = "a", .server = "tidegate_dead"};
  ASSERT_TRUE(Submit(Ready(false), dead));
  Await(1);
  std::latch release(1);
  Occupy(release);
  clock_.Advance(seconds(2));
  ASSERT_TRUE(Submit(Ready(), dead));
  clock_.Advance(seconds(6));
  pool_->Collect();
  EXPECT_TRUE(Submit(Ready(), dead));
  release.count_down();
  Await(4);
  EXPECT_EQ(pool_->servers_down(), 0u);
}

TEST(QueryPoolDeathTest, AJobForAPoolThatIsNotStartedAborts) {
  const FakeClock clock;
  const Log log{LogLevel::kError, [](LogLevel, std::string_view) {}};
  QueryPool pool({}, {}, clock, log);
  EXPECT_DEATH(pool.Submit({}, {}, {}), "the pool is started");
}

}  // namespace
}  // namespace tidegate::reader
