#include "reader/project/projector.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;

class ProjectorTest : public testing::Test {
 protected:
  ProjectorTest() { source_.Assign({kHeartbeats0, kHeartbeats1}); }

  Projector& projector() {
    if (!projector_) {
      projector_.emplace(
          options_,
          Projector::Parts{source_, store_, documents_, *decoder_, clock_, log_, metrics_, board_},
          0, "projector 0", 7);
    }
    return *projector_;
  }
  void Step() { ASSERT_TRUE(projector().Step(milliseconds(0)).ok()); }
  void StepFor(int turns) {
    for (int i = 0; i < turns; ++i) {
      Step();
      clock_.Advance(milliseconds(300));
    }
  }
  // The landing has taken this heartbeat from there.
  void Land(const std::string& event_id, const Partition& from, int64_t offset, int64_t epoch = 0) {
    database_.landed[{{"tidegate", "heartbeats"}, "acme/truck-1/" + event_id}] = {
        .topic = from.topic,
        .partition = from.number,
        .offset = offset,
        .time = WallTime(milliseconds(1'750'639'021'000)),
        .epoch = epoch};
    int64_t& position = database_.positions[PartitionName(from, epoch)];
    position = std::max(position, offset + 1);
  }
  int64_t Documents() {
    const auto found = database_.projections.find({{"tidegate", "assets"}, "acme/truck-1"});
    return found == database_.projections.end() ? 0 : found->second.members.Integer("documents");
  }

  Projector::Options options_{.batch_records = 10,
                              .batch_interval = milliseconds(100),
                              .backoff = {.initial = milliseconds(500), .max = milliseconds(800)},
                              .folder = {}};
  FakeSource source_;
  MemoryDatabase database_;
  MemoryProjectionStore store_{database_};
  FakeDocumentStore documents_;
  std::optional<Decoder> decoder_{std::in_place, Decoder::Options{}, BuiltInTable()};
  FakeClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics registry_;
  ProjectorMetrics metrics_{registry_};
  StatusBoard board_{1};
  std::optional<Projector> projector_;
};

TEST_F(ProjectorTest, AMessageThatHasNotLandedWaits) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  StepFor(5);
  EXPECT_EQ(Documents(), 0);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  Land("e1", kHeartbeats0, 0);
  StepFor(2);
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
}

TEST_F(ProjectorTest, AMessageThatWasGivenUpIsPassedOver) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.Push(kHeartbeats0, "poison");
  source_.PushHeartbeat(kHeartbeats0, "e2");
  Land("e2", kHeartbeats0, 2);
  StepFor(2);
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(source_.stored(kHeartbeats0), 3);
  EXPECT_NE(registry_.Text().find("skipped_total{reason=\"absent\"} 1"), std::string::npos);
}

TEST_F(ProjectorTest, ARecordThatIsInKafkaTwiceCountsOnce) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.PushHeartbeat(kHeartbeats1, "e1");
  Land("e1", kHeartbeats0, 1);
  Land("e1", kHeartbeats1, 0);
  StepFor(2);
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(source_.stored(kHeartbeats0), 2);
  EXPECT_EQ(source_.stored(kHeartbeats1), 1);
}

TEST_F(ProjectorTest, APartitionThatWaitsHoldsNoOtherUp) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.PushHeartbeat(kHeartbeats1, "e2");
  Land("e2", kHeartbeats1, 0);
  StepFor(5);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_EQ(source_.stored(kHeartbeats1), 1);
}

TEST_F(ProjectorTest, WhatKafkaDeletedBeforeItWasProjectedIsCounted) {
  source_.Commit(kHeartbeats0, 3);
  source_.Expire(kHeartbeats0, 8);
  source_.PushHeartbeat(kHeartbeats0, "e8");
  Land("e8", kHeartbeats0, 8);
  source_.HideEarliest(true);
  StepFor(2);
  EXPECT_EQ(source_.stored(kHeartbeats0), 3) << "the group tells later where it is";
  source_.HideEarliest(false);
  StepFor(5);
  EXPECT_EQ(source_.stored(kHeartbeats0), 9);
  EXPECT_EQ(Documents(), 1);
  EXPECT_NE(registry_.Text().find("projection_missed_total 5"), std::string::npos);
}

TEST_F(ProjectorTest, AGroupThatNeverWasThereHasMissedNothing) {
  source_.Expire(kHeartbeats0, 8);
  source_.PushHeartbeat(kHeartbeats0, "e8");
  Land("e8", kHeartbeats0, 8);
  StepFor(2);
  EXPECT_EQ(source_.stored(kHeartbeats0), 9);
  EXPECT_NE(registry_.Text().find("projection_missed_total 0"), std::string::npos);
}

TEST_F(ProjectorTest, WhatAReplayOfDeadLettersHasLandedIsFoldedThere) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  database_.landed.begin()->second.dead_letter = LetterPlace{"now", "telemetry.dlq/0", 3};
  StepFor(2);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
  EXPECT_EQ(Documents(), 0);
  EXPECT_NE(registry_.Text().find("skipped_total{reason=\"repeated\"} 1"), std::string::npos);
}

TEST_F(ProjectorTest, WhatWaitsIsBounded) {
  for (int i = 0; i < 50; ++i) source_.PushHeartbeat(kHeartbeats0, std::to_string(i));
  StepFor(20);
  EXPECT_TRUE(source_.paused(kHeartbeats0));
  EXPECT_EQ(source_.waiting(), 40u);
  for (int i = 0; i < 50; ++i) Land(std::to_string(i), kHeartbeats0, i);
  StepFor(20);
  EXPECT_FALSE(source_.paused(kHeartbeats0));
  EXPECT_EQ(Documents(), 50);
}

TEST_F(ProjectorTest, APartitionThatDoesNotLandTakesNoOthersRoom) {
  for (int i = 0; i < 50; ++i) source_.PushHeartbeat(kHeartbeats0, "slow" + std::to_string(i));
  StepFor(5);
  for (int i = 0; i < 50; ++i) {
    source_.PushHeartbeat(kHeartbeats1, std::to_string(i));
    Land(std::to_string(i), kHeartbeats1, i);
  }
  StepFor(30);
  EXPECT_EQ(Documents(), 50);
  EXPECT_EQ(source_.stored(kHeartbeats1), 50);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_FALSE(source_.paused());
}

TEST_F(ProjectorTest, ALogThatBeginsAnewIsProjectedFromItsBeginning) {
  for (int i = 0; i < 5; ++i) {
    source_.PushHeartbeat(kHeartbeats0, std::to_string(i));
    Land(std::to_string(i), kHeartbeats0, i);
  }
  StepFor(3);
  ASSERT_EQ(Documents(), 5);
  source_.BeginAnew(kHeartbeats0);
  source_.PushHeartbeat(kHeartbeats0, "new");
  StepFor(5);
  EXPECT_EQ(Documents(), 5) << "the landing has not noticed it yet";
  EXPECT_EQ(registry_.Text().find("skipped_total{reason=\"absent\"} 1"), std::string::npos);
  database_.positions[PartitionName(kHeartbeats0) + "@"] = 1;
  Land("new", kHeartbeats0, 0, 1);
  StepFor(5);
  EXPECT_EQ(Documents(), 6);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
  EXPECT_NE(registry_.Text().find("tidegate_reader_projected_total 6"), std::string::npos);
}

TEST_F(ProjectorTest, OnlyWhatIsFoldedCountsAsProjected) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  StepFor(2);
  source_.Revoke({kHeartbeats0}, true);
  source_.Assign({kHeartbeats0});
  Step();
  ASSERT_TRUE(source_.Seek(kHeartbeats0, 0).ok());
  StepFor(3);
  EXPECT_EQ(Documents(), 1);
  EXPECT_NE(registry_.Text().find("tidegate_reader_projected_total 1"), std::string::npos);
}

TEST_F(ProjectorTest, ARefusedProjectionIsToldAndHoldsNothingUp) {
  database_.refused.insert("acme/truck-1");
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  StepFor(2);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
  EXPECT_EQ(board_.Read()[0].trouble, "");
  EXPECT_EQ(board_.Read()[0].refused_projections, 1u);
  EXPECT_NE(registry_.Text().find("tidegate_reader_projections_refused_total 1"),
            std::string::npos);
}

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
  void Push(const std::string& tenant, int number) {
    const std::string event = std::to_string(number);
    const int64_t offset = next_++;
    source_.Push(kHeartbeats0, R"({"event_id":")" + event + R"(","tenant_id":")" + tenant +
                                   R"(","asset_id":"truck-1"})");
    database_.landed[{{"tidegate_" + tenant, "heartbeats"}, tenant + "/truck-1/" + event}] = {
        kHeartbeats0.topic, 0, offset, WallTime(milliseconds(1'750'639'021'000))};
    database_.positions[PartitionName(kHeartbeats0)] = offset + 1;
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

TEST_F(ProjectorTest, AnOutageLosesNothing) {
  bool away = true;
  store_.Intercept([&](bool) -> Status {
    return away ? Status(Error{ErrorCode::kUnavailable, "away"}) : Status();
  });
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  StepFor(5);
  EXPECT_TRUE(source_.paused());
  EXPECT_EQ(board_.Read()[0].trouble, "away");
  away = false;
  StepFor(5);
  EXPECT_FALSE(source_.paused());
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(board_.Read()[0].trouble, "");
}

TEST_F(ProjectorTest, ARevokeFoldsWhatHasLandedFirst) {
  options_.batch_interval = milliseconds(10'000);
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  Step();
  source_.Revoke({kHeartbeats0, kHeartbeats1});
  Step();
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
}

TEST_F(ProjectorTest, LostPartitionsAreLeftAlone) {
  options_.batch_interval = milliseconds(10'000);
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  Step();
  source_.Revoke({kHeartbeats0, kHeartbeats1}, true);
  Step();
  clock_.Advance(std::chrono::seconds(20));
  Step();
  EXPECT_EQ(Documents(), 0);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
}

TEST_F(ProjectorTest, StoppingFoldsWhatHasLandedAndLeavesTheGroup) {
  options_.batch_interval = milliseconds(10'000);
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  Step();
  projector().Stop();
  EXPECT_EQ(Documents(), 1);
  EXPECT_TRUE(source_.closed());
  EXPECT_TRUE(board_.Read()[0].stopped);
}

TEST_F(ProjectorTest, AMemberThatCannotGoOnSaysSo) {
  source_.Fail("fenced by another member");
  EXPECT_FALSE(projector().Step(milliseconds(0)).ok());
  EXPECT_TRUE(board_.Read()[0].failed);
}

}  // namespace
}  // namespace tidegate::reader
