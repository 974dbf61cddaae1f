// A worker that parks, and the member that lands what is parked, over the same databases.
#include "reader/park/unparker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "reader/land/worker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/fake_parking.h"
#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/memory_projection_store.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

const Partition kParked0{"telemetry.parked", 0};
const Partition kParked1{"telemetry.parked", 1};

class UnparkerTest : public testing::Test {
 protected:
  UnparkerTest() {
    source_.Assign({kHeartbeats0});
    parked_.Assign(kParked0);
    parked_.Assign(kParked1);
  }
  void Push(const std::string& tenant, int64_t id) {
    source_.Push(kHeartbeats0, R"({"asset_id":"a","event_id":")" + std::to_string(id) +
                                   R"(","tenant_id":")" + tenant + "\"}");
  }
  void StepWorker(int steps = 10) {
    for (int i = 0; i < steps; ++i) {
      clock_.Advance(milliseconds(300));
      ASSERT_TRUE(worker_.Step(milliseconds(0)).ok());
    }
  }
  void StepUnparker(int steps = 10) {
    for (int i = 0; i < steps; ++i) {
      clock_.Advance(milliseconds(300));
      ASSERT_TRUE(unparker_.Step(milliseconds(0)).ok());
    }
  }
  MemberState State() { return board_.Read()[1]; }
  bool Marked(const std::string& database) {
    const auto found = memory_.projections.find({{"tidegate", kLanes}, database});
    return found != memory_.projections.end() && !found->second.folded.empty();
  }

  FakeSource source_;
  FakeDocumentStore store_;
  MemoryDatabase memory_;
  MemoryProjectionStore projections_{memory_};
  FakeDeadLetters dead_letters_;
  KafkaLog kafka_;
  FakeParking parking_{kafka_};
  LogSource parked_{kafka_};
  Decoder decoder_{{.tenancy = Tenancy::kDatabase},
                   StreamTable::Make({BuiltInStreams()[0]}).value()};
  FakeClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics metrics_;
  ReaderMetrics reader_metrics_{metrics_};
  StatusBoard board_{2};
  Worker worker_{{.batch_records = 10, .batch_interval = milliseconds(1)},
                 {source_, store_, projections_, dead_letters_, decoder_, clock_, log_,
                  reader_metrics_, board_, nullptr, &parking_},
                 0,
                 7};
  Unparker unparker_{{.batch_records = 5},
                     {parked_, store_, projections_, dead_letters_, decoder_, clock_, log_,
                      reader_metrics_, board_},
                     1};
};

TEST_F(UnparkerTest, ParkedRecordsLandInTheirOrderWhenTheDatabaseIsBack) {
  store_.TakeDown("tidegate_acme");
  for (int64_t id = 0; id < 12; ++id) Push("acme", id);
  StepWorker();
  StepUnparker();
  EXPECT_EQ(store_.count(), 0u);
  EXPECT_THAT(State().parked, ElementsAre(HasSubstr("tidegate_acme")));
  EXPECT_TRUE(Marked("tidegate_acme"));
  EXPECT_EQ(kafka_.committed[FakeParking::PartitionOf("tidegate_acme")], 0);
  store_.Restore("tidegate_acme");
  StepUnparker(200);
  ASSERT_EQ(store_.count(), 12u);
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(store_.landed()[i], "acme/a/" + std::to_string(i));
  EXPECT_FALSE(Marked("tidegate_acme"));
  EXPECT_TRUE(State().parked.empty());
  EXPECT_EQ(kafka_.committed[FakeParking::PartitionOf("tidegate_acme")], 12);
  EXPECT_NE(metrics_.Text().find("tidegate_reader_unparked_total 12"), std::string::npos);
  StepWorker();
  Push("acme", 12);
  StepWorker();
  EXPECT_EQ(store_.landed().back(), "acme/a/12");
  EXPECT_EQ(parking_.parked(), 12u);
}

TEST_F(UnparkerTest, ADatabaseThatStaysAwayHoldsUpNoOthersParkedRecords) {
  ASSERT_EQ(FakeParking::PartitionOf("tidegate_acme"), FakeParking::PartitionOf("tidegate_bolt"));
  store_.TakeDown("tidegate_acme");
  store_.TakeDown("tidegate_bolt");
  Push("acme", 0);
  Push("bolt", 0);
  Push("acme", 1);
  Push("bolt", 1);
  StepWorker();
  StepUnparker();
  store_.Restore("tidegate_bolt");
  StepUnparker(200);
  EXPECT_THAT(store_.landed(), ElementsAre("bolt/a/0", "bolt/a/1"));
  EXPECT_TRUE(Marked("tidegate_acme"));
  EXPECT_FALSE(Marked("tidegate_bolt"));
}

TEST_F(UnparkerTest, AParkingTopicThatIsMadeAnewIsReadFromItsBeginning) {
  const Partition partition = FakeParking::PartitionOf("tidegate_acme");
  for (const bool hidden : {false, true}) {
    store_.TakeDown("tidegate_acme");
    const int64_t base = hidden ? 100 : 0;
    for (int64_t id = 0; id < 12; ++id) Push("acme", base + id);
    StepWorker();
    StepUnparker();
    store_.Restore("tidegate_acme");
    StepUnparker(50);
    StepWorker();
    ASSERT_TRUE(store_.Has("acme/a/" + std::to_string(base + 11)));
    kafka_.BeginAnew(partition);
    store_.TakeDown("tidegate_acme");
    parked_.HideEnd(hidden);
    for (int64_t id = 20; id < 23; ++id) Push("acme", base + id);
    StepWorker();
    StepUnparker(3);
    parked_.HideEnd(false);
    StepUnparker(50);
    Push("acme", base + 23);
    StepWorker();
    store_.Restore("tidegate_acme");
    StepUnparker(200);
    for (int64_t id = 20; id < 24; ++id)
      EXPECT_TRUE(store_.Has("acme/a/" + std::to_string(base + id))) << hidden << id;
    EXPECT_FALSE(Marked("tidegate_acme"));
    StepWorker();
    kafka_.BeginAnew(partition);
    parked_.Revoke(partition, false);
    kafka_.committed.clear();
    parked_.Assign(partition);
  }
}

TEST_F(UnparkerTest, WhatWaitedInAParkingTopicThatIsGoneIsCounted) {
  const Partition partition = FakeParking::PartitionOf("tidegate_acme");
  store_.TakeDown("tidegate_acme");
  for (int64_t id = 0; id < 12; ++id) Push("acme", id);
  StepWorker();
  StepUnparker();
  kafka_.BeginAnew(partition);
  for (int64_t id = 20; id < 23; ++id) Push("acme", id);
  StepWorker();
  StepUnparker(20);
  EXPECT_NE(metrics_.Text().find("tidegate_reader_parked_lost_total 12"), std::string::npos);
  store_.Restore("tidegate_acme");
  StepUnparker(200);
  EXPECT_THAT(store_.landed(), ElementsAre("acme/a/20", "acme/a/21", "acme/a/22"));
  EXPECT_FALSE(Marked("tidegate_acme")) << "the mark was beyond the new log's end";
  StepWorker();
  Push("acme", 23);
  StepWorker();
  EXPECT_TRUE(store_.Has("acme/a/23"));
  EXPECT_EQ(kafka_.End(partition), 3);
}

TEST_F(UnparkerTest, WhatNoDatabaseAcceptsBecomesADeadLetterOfItsOwnPlace) {
  store_.TakeDown("tidegate_acme");
  store_.Reject("acme/a/0");
  store_.Conflict("acme/a/1", 100);
  for (int64_t id = 0; id < 3; ++id) Push("acme", id);
  StepWorker();
  store_.Restore("tidegate_acme");
  dead_letters_.TakeDown();
  StepUnparker(20);
  EXPECT_TRUE(Marked("tidegate_acme"));
  dead_letters_.Restore();
  StepUnparker(200);
  EXPECT_TRUE(store_.Has("acme/a/2"));
  ASSERT_EQ(dead_letters_.letters().size(), 2u);
  EXPECT_EQ(dead_letters_.letters()[0].message.partition, kHeartbeats0);
  EXPECT_EQ(dead_letters_.letters()[0].message.offset, 0);
  EXPECT_EQ(dead_letters_.letters()[1].refusal.kind, RefusalKind::kRetries);
  EXPECT_FALSE(Marked("tidegate_acme"));
}

// The topic was made anew; records of the previous log have ids that are made of the same offsets.
TEST_F(UnparkerTest, WhatIsNamedByItsPlaceKeepsTheEpochOfItsLog) {
  memory_.positions[PartitionName(kHeartbeats0)] = 5;
  store_.TakeDown("tidegate_acme");
  for (int i = 0; i < 2; ++i) source_.Push(kHeartbeats0, R"({"asset_id":"a","tenant_id":"acme"})");
  StepWorker();
  store_.Reject(PartitionName(kHeartbeats0) + "/1@1");
  store_.Restore("tidegate_acme");
  StepUnparker(50);
  EXPECT_THAT(store_.landed(), ElementsAre(PartitionName(kHeartbeats0) + "/0@1"));
  ASSERT_EQ(dead_letters_.letters().size(), 1u);
  EXPECT_EQ(dead_letters_.letters()[0].epoch, 1);
}

TEST_F(UnparkerTest, ALetterThatItsTopicRefusesForGoodHoldsNothingUp) {
  store_.TakeDown("tidegate_acme");
  store_.Reject("acme/a/0");
  for (int64_t id = 0; id < 2; ++id) Push("acme", id);
  StepWorker();
  dead_letters_.RefuseAll();
  store_.Restore("tidegate_acme");
  StepUnparker(50);
  EXPECT_THAT(store_.landed(), ElementsAre("acme/a/1"));
  EXPECT_FALSE(Marked("tidegate_acme"));
  EXPECT_NE(metrics_.Text().find("tidegate_reader_dead_letters_lost_total 1"), std::string::npos);
}

TEST_F(UnparkerTest, ForeignMessagesInTheParkingTopicAreSkipped) {
  kafka_.Append(kParked0, "what is this", clock_.Now());
  StepUnparker();
  EXPECT_EQ(kafka_.committed[kParked0], 1);
  EXPECT_TRUE(dead_letters_.letters().empty());
}

TEST_F(UnparkerTest, ProjectionsFoldWhatWasParkedOnce) {
  store_.TakeDown("tidegate_acme");
  Push("acme", 0);
  Push("acme", 1);
  StepWorker();
  store_.Restore("tidegate_acme");
  StepUnparker(50);
  // The same records again, as after a crash before the offsets were committed.
  kafka_.committed.clear();
  const Partition partition = FakeParking::PartitionOf("tidegate_acme");
  parked_.Revoke(partition, true);
  parked_.Assign(partition);
  for (int64_t id = 0; id < 2; ++id) {
    Landed& landed =
        memory_.landed[{{"tidegate_acme", "heartbeats"}, "acme/a/" + std::to_string(id)}];
    landed.dead_letter = LetterPlace{kParkedReplay, PartitionName(partition), id};
  }
  StepUnparker(50);
  const auto asset = memory_.projections.find({{"tidegate_acme", "assets"}, "acme/a"});
  ASSERT_NE(asset, memory_.projections.end());
  EXPECT_EQ(asset->second.members.Integer("documents"), 2);
  EXPECT_EQ(store_.count(), 2u);
}

// Databases come and go at random: each tenant's records land all, once, and in their order.
TEST_F(UnparkerTest, WhateverFailsEachTenantsRecordsLandInTheirOrder) {
  const std::vector<std::string> tenants{"acme", "bolt", "coral", "d"};
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    std::mt19937_64 random(seed);
    std::map<std::string, int64_t> pushed;
    for (int turn = 0; turn < 400; ++turn) {
      const std::string& tenant = tenants[random() % tenants.size()];
      switch (random() % 12) {
        case 0:
          store_.TakeDown("tidegate_" + tenant);
          break;
        case 1:
          store_.Restore("tidegate_" + tenant);
          break;
        case 2:
          parking_.TakeDown();
          break;
        case 3:
          parking_.Restore();
          break;
        case 4:
        case 5:
          StepUnparker(static_cast<int>(random() % 4));
          break;
        case 6:
        case 7:
          StepWorker(static_cast<int>(random() % 3));
          break;
        default:
          Push(tenant, static_cast<int64_t>(seed) * 1'000 + pushed[tenant]++);
      }
    }
    parking_.Restore();
    for (const std::string& tenant : tenants) store_.Restore("tidegate_" + tenant);
    for (int i = 0; i < 60; ++i) {
      StepWorker(3);
      StepUnparker(5);
    }
    std::map<std::string, int64_t> next;
    for (const std::string& id : store_.landed()) {
      const std::string tenant = id.substr(0, id.find('/'));
      const int64_t number = std::stoll(id.substr(id.rfind('/') + 1));
      if (number / 1'000 != static_cast<int64_t>(seed)) continue;
      EXPECT_EQ(number % 1'000, next[tenant]++) << "seed " << seed << ", " << id;
    }
    for (const auto& [tenant, count] : pushed) EXPECT_EQ(next[tenant], count) << "seed " << seed;
    for (const std::string& tenant : tenants) EXPECT_FALSE(Marked("tidegate_" + tenant)) << seed;
  }
}

}  // namespace
}  // namespace tidegate::reader
