// Databases that fail, refuse or are slow, beside others that go on.
#include "tests/reader/project/projector_fixture.h"

namespace tidegate::reader {
namespace {

// Each tenant has a database; that of globex does not answer.
class TenantsProjectorTest : public ProjectorTest {
 protected:
  TenantsProjectorTest() {
    decoder_.emplace(Decoder::Options{.tenancy = Tenancy::kDatabase}, BuiltInTable());
    store_.InterceptDatabase([this](const std::string& database) -> Status {
      return down_.contains(database) ? Status(Error{ErrorCode::kUnavailable, "no answer"})
                                      : Status();
    });
  }
  void Push(const std::string& tenant, int number, bool landed = true) {
    const std::string event = std::to_string(number);
    const int64_t offset = next_++;
    source_.Push(kHeartbeats0, R"({"event_id":")" + event + R"(","tenant_id":")" + tenant +
                                   R"(","asset_id":"truck-1"})");
    database_.landed[{{"tidegate_" + tenant, "heartbeats"}, tenant + "/truck-1/" + event}] = {
        kHeartbeats0.topic, 0, offset, WallTime(milliseconds(1'750'639'021'000))};
    if (landed) database_.positions[PartitionName(kHeartbeats0)] = offset + 1;
  }
  int64_t DocumentsOf(const std::string& tenant) {
    const auto found =
        database_.projections.find({{"tidegate_" + tenant, "assets"}, tenant + "/truck-1"});
    return found == database_.projections.end() ? 0 : found->second.members.Integer("documents");
  }

  std::set<std::string> down_;
  int64_t next_ = 0;
};

TEST_F(TenantsProjectorTest, ADeadDatabaseLagsAloneAndCatchesUp) {
  down_.insert("tidegate_globex");
  for (int i = 0; i < 40; ++i) Push(i % 2 ? "acme" : "globex", i);
  StepFor(20);
  EXPECT_EQ(DocumentsOf("acme"), 20);
  EXPECT_EQ(DocumentsOf("globex"), 0);
  EXPECT_EQ(board_.Read()[0].trouble, "");
  ASSERT_EQ(board_.Read()[0].lagging.size(), 1u);
  EXPECT_EQ(board_.Read()[0].lagging[0], "tidegate_globex: no answer");
  EXPECT_EQ(source_.stored(kHeartbeats0), 0) << "another process would read them again";
  down_.clear();
  for (int i = 40; i < 60; ++i) Push(i % 2 ? "acme" : "globex", i);
  StepFor(300);
  EXPECT_EQ(DocumentsOf("globex"), 30);
  EXPECT_EQ(DocumentsOf("acme"), 30);
  EXPECT_EQ(source_.stored(kHeartbeats0), 60);
  EXPECT_TRUE(board_.Read()[0].lagging.empty());
}

TEST_F(TenantsProjectorTest, APartitionThatWaitsWhenADatabaseReturnsIsReadOn) {
  down_.insert("tidegate_globex");
  for (int i = 0; i < 6; ++i) Push(i % 2 ? "acme" : "globex", i);
  StepFor(3);
  for (int i = 6; i < 26; ++i) Push("acme", i, false);
  StepFor(5);
  ASSERT_TRUE(source_.paused(kHeartbeats0));
  down_.clear();
  StepFor(30);
  EXPECT_EQ(DocumentsOf("globex"), 3);
  database_.positions[PartitionName(kHeartbeats0)] = 26;
  StepFor(30);
  EXPECT_EQ(DocumentsOf("acme"), 23);
  EXPECT_EQ(source_.stored(kHeartbeats0), 26);
}

TEST_F(TenantsProjectorTest, ADatabaseThatRefusesWritesDelaysNoOthers) {
  store_.read_only.insert("tidegate_globex");
  Push("globex", 0);
  for (int i = 1; i <= 400; ++i) Push("acme", i);
  StepFor(200);
  EXPECT_EQ(DocumentsOf("acme"), 400);
  EXPECT_EQ(source_.stored(kHeartbeats0), 0);
  store_.read_only.clear();
  StepFor(1'500);
  EXPECT_EQ(DocumentsOf("globex"), 1);
  EXPECT_EQ(source_.stored(kHeartbeats0), 401);
  EXPECT_TRUE(board_.Read()[0].lagging.empty());
}

TEST_F(TenantsProjectorTest, SlowDatabasesLagWhileOthersGoOn) {
  store_.takes = {{"tidegate_a", milliseconds(5'100)}, {"tidegate_b", milliseconds(5'100)}};
  const std::vector<std::string> tenants{"a", "b", "z"};
  for (int i = 0; i < 30; ++i) Push(tenants[static_cast<size_t>(i % 3)], i);
  StepFor(30);
  EXPECT_EQ(DocumentsOf("z"), 10);
  EXPECT_EQ(board_.Read()[0].trouble, "");
  EXPECT_EQ(board_.Read()[0].lagging.size(), 2u);
  const BootTime began = clock_.SinceBoot();
  for (int i = 30; i < 430; ++i) Push(tenants[static_cast<size_t>(i % 3)], i);
  for (int i = 0; i < 500 && DocumentsOf("z") < 143; ++i) StepFor(1);
  EXPECT_EQ(DocumentsOf("z"), 143);
  EXPECT_LT(clock_.SinceBoot() - began, std::chrono::minutes(3));
  store_.takes.clear();
  StepFor(5'000);
  EXPECT_EQ(DocumentsOf("a"), 144);
  EXPECT_EQ(DocumentsOf("b"), 143);
  EXPECT_EQ(source_.stored(kHeartbeats0), 430);
  EXPECT_TRUE(board_.Read()[0].lagging.empty());
}

// No attempt has time for all of them, and those in front have news each time.
TEST_F(TenantsProjectorTest, ManyDatabasesAreFoldedInSeveralAttempts) {
  options_.batch_records = 100;
  const auto tenant = [](int number) { return "t" + std::to_string(number); };
  for (int i = 0; i < 30; ++i) {
    store_.takes["tidegate_" + tenant(i)] = milliseconds(400);
    Push(tenant(i), i);
  }
  int next = 30;
  for (int turn = 0; turn < 20; ++turn) {
    Push(tenant(0), next++);
    StepFor(1);
    EXPECT_EQ(board_.Read()[0].trouble, "");
  }
  StepFor(10);
  for (int i = 1; i < 30; ++i) EXPECT_EQ(DocumentsOf(tenant(i)), 1) << i;
  EXPECT_EQ(DocumentsOf(tenant(0)), 21);
  EXPECT_EQ(source_.stored(kHeartbeats0), next);
  EXPECT_TRUE(board_.Read()[0].lagging.empty());
}

TEST_F(TenantsProjectorTest, ADatabaseWithManyRecordsIsNoSlowOne) {
  store_.takes = {{"tidegate_acme", milliseconds(1'000)}, {"tidegate_globex", milliseconds(300)}};
  for (int i = 0; i < 9; ++i) Push("acme", i);
  Push("globex", 9);
  StepFor(3);
  EXPECT_EQ(DocumentsOf("acme"), 9);
  EXPECT_TRUE(board_.Read()[0].lagging.empty());
}

// The laggard's first message that was left out is after others that no attempt has reached.
TEST_F(TenantsProjectorTest, ARewindLosesNothingThatHasNotBeenFolded) {
  options_.batch_records = 100;
  for (int i = 0; i < 30; ++i) {
    const std::string tenant = "t" + std::to_string(i);
    store_.takes["tidegate_" + tenant] = milliseconds(400);
    Push(tenant, i);
  }
  down_.insert("tidegate_t2");
  StepFor(1);
  down_.clear();
  StepFor(300);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(DocumentsOf("t" + std::to_string(i)), 1) << i;
  EXPECT_EQ(source_.stored(kHeartbeats0), 30);
}

TEST_F(TenantsProjectorTest, IfTheMainDatabaseFailsTooAllWait) {
  Push("globex", 0);
  StepFor(2);
  down_ = {"tidegate_globex", "tidegate_acme", "tidegate"};
  Push("globex", 1);
  Push("acme", 2);
  StepFor(5);
  EXPECT_TRUE(source_.paused());
  EXPECT_TRUE(board_.Read()[0].lagging.empty());
  down_.clear();
  StepFor(10);
  EXPECT_EQ(DocumentsOf("globex"), 2);
  EXPECT_EQ(DocumentsOf("acme"), 1);
}

TEST_F(TenantsProjectorTest, WhatLagsTooFarIsGivenUpAndCounted) {
  options_.laggards.most = 10;
  down_.insert("tidegate_globex");
  for (int i = 0; i < 25; ++i) Push("globex", i);
  StepFor(20);
  EXPECT_NE(registry_.Text().find("projection_missed_total 20"), std::string::npos)
      << registry_.Text();
  EXPECT_EQ(source_.stored(kHeartbeats0), 20);
}

}  // namespace
}  // namespace tidegate::reader
