#include "reader/serve/query_queue.h"

#include <gtest/gtest.h>

namespace tidegate::reader {
namespace {

using Admission = QueryQueue::Admission;

class QueryQueueTest : public testing::Test {
 protected:
  Admission Push(const char* caller, const char* server = "") {
    return queue_.Push({.id = ++id_, .origin = {caller, server}});
  }
  // Starts the next job; 0: none may run.
  uint64_t Pop() {
    auto item = queue_.Pop();
    if (!item) return 0;
    running_[item->id] = item->origin;
    return item->id;
  }
  void Finish(uint64_t id) { queue_.Finished(running_.at(id)); }

  QueryQueue queue_{{.threads = 4, .jobs = 8, .jobs_of_caller = 5}};
  uint64_t id_ = 0;
  std::map<uint64_t, QueryQueue::Origin> running_;
};

TEST_F(QueryQueueTest, ACallerLeavesRoomInTheQueueAndAThread) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Push("bad"), Admission::kAccepted);
  EXPECT_EQ(Push("bad"), Admission::kCallerFull);
  EXPECT_EQ(Pop(), 1u);
  EXPECT_EQ(Pop(), 2u);
  EXPECT_EQ(Pop(), 3u);
  EXPECT_EQ(Pop(), 0u);
  EXPECT_EQ(Push("good"), Admission::kAccepted);
  EXPECT_EQ(Pop(), 7u);
  Finish(1);
  EXPECT_EQ(Pop(), 4u);
}

TEST_F(QueryQueueTest, TheCallerThatUsesFewestThreadsIsNext) {
  for (int i = 0; i < 3; ++i) Push("a");
  Push("b");
  EXPECT_EQ(Pop(), 1u);
  EXPECT_EQ(Pop(), 4u);
  EXPECT_EQ(Pop(), 2u);
}

TEST_F(QueryQueueTest, AllDeadServersTogetherUseHalfOfTheThreads) {
  queue_.Suspect("x", true);
  queue_.Suspect("y", true);
  Push("a", "x");
  Push("b", "y");
  Push("c", "x");
  EXPECT_EQ(Pop(), 1u);
  EXPECT_EQ(Pop(), 2u);
  EXPECT_EQ(Pop(), 0u);
  Push("d");
  EXPECT_EQ(Pop(), 4u);
  queue_.Suspect("x", false);
  EXPECT_EQ(Pop(), 3u);
}

TEST_F(QueryQueueTest, AServerOfOneTenantLeavesAThread) {
  for (const char* caller : {"a", "b", "c", "d"}) Push(caller, "x");
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(Pop(), id);
  EXPECT_EQ(Pop(), 0u);
  Push("e", "y");
  EXPECT_EQ(Pop(), 5u);
}

TEST_F(QueryQueueTest, TheWholeQueueIsBounded) {
  for (const char* caller : {"a", "b", "c", "d", "e", "f", "g", "h"})
    EXPECT_EQ(Push(caller), Admission::kAccepted);
  EXPECT_EQ(Push("i"), Admission::kFull);
  EXPECT_TRUE(queue_.Remove(1));
  EXPECT_FALSE(queue_.Remove(1));
  EXPECT_EQ(Push("i"), Admission::kAccepted);
  EXPECT_EQ(Pop(), 2u);
  EXPECT_FALSE(queue_.Remove(2));
}

TEST_F(QueryQueueTest, ASingleThreadServesEverybody) {
  QueryQueue queue({.threads = 1});
  queue.Suspect("x", true);
  queue.Push({.id = 1, .origin = {"a", "x"}});
  queue.Push({.id = 2, .origin = {"a", ""}});
  const auto first = queue.Pop();
  ASSERT_TRUE(first);
  EXPECT_FALSE(queue.Pop());
  queue.Finished(first->origin);
  EXPECT_TRUE(queue.Pop());
}

}  // namespace
}  // namespace tidegate::reader
