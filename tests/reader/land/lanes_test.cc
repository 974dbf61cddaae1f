// A worker whose tenants have databases of their own, some of which fail.
#include <gmock/gmock.h>

#include "reader/consume/parked_message.h"
#include "tests/reader/land/worker_fixture.h"
#include "tests/support/reader/fake_parking.h"

namespace tidegate::reader {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LanesTest : public WorkerTest {
 protected:
  Worker& worker() {
    if (!lanes_worker_) lanes_worker_.emplace(options_, WorkerParts(), 0, 7);
    return *lanes_worker_;
  }
  Worker::Parts WorkerParts() {
    return {source_, store_,          projections_, dead_letters_, by_tenant_, clock_,
            log_,    reader_metrics_, board_,       nullptr,       &parking_};
  }
  void Push(const std::string& tenant, const std::string& id, const std::string& more = "") {
    source_.Push(kHeartbeats0, R"({"asset_id":"a","event_id":")" + id + R"(","tenant_id":")" +
                                   tenant + "\"" + more + "}");
  }
  void StepLonger() {
    for (int i = 0; i < 15; ++i) {
      clock_.Advance(std::chrono::milliseconds(100));
      ASSERT_TRUE(worker().Step(std::chrono::milliseconds(0)).ok());
    }
  }
  Offsets Mark(const std::string& database) {
    const auto found = memory_.projections.find({{"tidegate", kLanes}, database});
    return found == memory_.projections.end() ? Offsets() : found->second.folded;
  }

  KafkaLog kafka_;
  FakeParking parking_{kafka_};
  Decoder by_tenant_{{.tenancy = Tenancy::kDatabase},
                     StreamTable::Make({BuiltInStreams()[0]}).value()};
  std::optional<Worker> lanes_worker_;
};

TEST_F(LanesTest, ADatabaseThatFailsHoldsUpOnlyItsOwnRecords) {
  store_.TakeDown("tidegate_acme");
  for (const char* id : {"1", "2"}) {
    Push("acme", id);
    Push("bolt", id);
  }
  StepLonger();
  EXPECT_THAT(store_.landed(), ElementsAre("bolt/a/1", "bolt/a/2"));
  EXPECT_EQ(source_.stored(kHeartbeats0), 4);
  EXPECT_FALSE(source_.paused());
  EXPECT_TRUE(State().trouble.empty());
  EXPECT_TRUE(State().database_up);
  EXPECT_THAT(State().parked, ElementsAre(HasSubstr("tidegate_acme")));
  EXPECT_TRUE(dead_letters_.letters().empty());
  EXPECT_NE(metrics_.Text().find("tidegate_reader_parked_total 2"), std::string::npos);
  EXPECT_NE(metrics_.Text().find("tidegate_reader_parked_lanes 1"), std::string::npos);
}

TEST_F(LanesTest, AParkedRecordKeepsItsOrigin) {
  store_.TakeDown("tidegate_acme");
  Push("acme", "1");
  StepLonger();
  const Partition partition = FakeParking::PartitionOf("tidegate_acme");
  ASSERT_EQ(kafka_.partitions[partition].size(), 1u);
  const auto parked = ReadParked(kafka_.partitions[partition].front());
  ASSERT_TRUE(parked);
  EXPECT_EQ(parked->database, "tidegate_acme");
  EXPECT_EQ(parked->record.partition, kHeartbeats0);
  EXPECT_EQ(parked->record.offset, 0);
  EXPECT_EQ(Mark("tidegate_acme"), (Offsets{{PartitionName(partition), 1}}));
}

TEST_F(LanesTest, WhileRecordsAreParkedLaterOnesAreParkedToo) {
  store_.TakeDown("tidegate_acme");
  Push("acme", "1");
  StepLonger();
  store_.Restore("tidegate_acme");
  Push("acme", "2");
  StepLonger();
  EXPECT_EQ(parking_.parked(), 2u);
  EXPECT_EQ(store_.count(), 0u);
  ParkingMarks marks("tidegate", projections_);
  ASSERT_TRUE(marks.Lower({{"tidegate_acme", Mark("tidegate_acme")}}).ok());
  StepLonger();
  StepLonger();
  Push("acme", "3");
  StepLonger();
  EXPECT_THAT(store_.landed(), ElementsAre("acme/a/3"));
  EXPECT_EQ(parking_.parked(), 2u);
}

TEST_F(LanesTest, AnotherWorkerFindsTheMark) {
  store_.TakeDown("tidegate_acme");
  Push("acme", "1");
  StepLonger();
  store_.Restore("tidegate_acme");
  lanes_worker_.reset();
  source_.Assign({kHeartbeats0});
  Push("acme", "2");
  StepLonger();
  EXPECT_EQ(parking_.parked(), 2u);
  EXPECT_EQ(store_.count(), 0u);
}

TEST_F(LanesTest, AnOutageOfEverythingParksNothing) {
  store_.TakeDown();
  Push("acme", "1");
  Push("bolt", "1");
  StepLonger();
  EXPECT_EQ(parking_.parked(), 0u);
  EXPECT_TRUE(source_.paused());
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_FALSE(State().database_up);
  store_.Restore();
  StepLonger();
  EXPECT_EQ(store_.count(), 2u);
}

TEST_F(LanesTest, WhileEveryDatabaseOfTheAllowListFailsNothingIsParked) {
  options_.databases = {"tidegate_acme", "tidegate_bolt"};
  store_.TakeDown("tidegate_acme");
  store_.TakeDown("tidegate_bolt");
  Push("acme", "1");
  Push("bolt", "1");
  StepLonger();
  EXPECT_EQ(parking_.parked(), 0u);
  EXPECT_TRUE(source_.paused());
  store_.Restore("tidegate_bolt");
  StepLonger();
  EXPECT_EQ(parking_.parked(), 1u);
  EXPECT_THAT(store_.landed(), ElementsAre("bolt/a/1"));
  EXPECT_FALSE(source_.paused());
}

TEST_F(LanesTest, AParkingTopicThatIsAwayIsWaitedFor) {
  store_.TakeDown("tidegate_acme");
  parking_.TakeDown();
  Push("acme", "1");
  Push("bolt", "1");
  StepLonger();
  EXPECT_TRUE(store_.Has("bolt/a/1"));
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_THAT(State().trouble, HasSubstr("parking topic"));
  // While nothing is marked, no later record overtakes the one that is to be parked.
  store_.Restore("tidegate_acme");
  StepLonger();
  EXPECT_FALSE(store_.Has("acme/a/1"));
  parking_.Restore();
  StepLonger();
  EXPECT_EQ(parking_.parked(), 1u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 2);
}

TEST_F(LanesTest, ARecordThatTheParkingTopicRefusesForItsSizeBecomesADeadLetter) {
  store_.TakeDown("tidegate_acme");
  parking_.SetLimit(200);
  Push("acme", "1", R"(,"x":")" + std::string(300, 'x') + "\"");
  Push("acme", "2");
  StepLonger();
  EXPECT_EQ(parking_.parked(), 1u);
  ASSERT_EQ(dead_letters_.letters().size(), 1u);
  EXPECT_EQ(dead_letters_.letters()[0].message.offset, 0);
  EXPECT_EQ(source_.stored(kHeartbeats0), 2);
}

TEST_F(LanesTest, WithoutAParkingTopicAnyOutageIsWaitedFor) {
  Worker::Parts parts = WorkerParts();
  parts.parking = nullptr;
  lanes_worker_.emplace(options_, parts, 0, 7);
  store_.TakeDown("tidegate_acme");
  Push("acme", "1");
  Push("bolt", "1");
  StepLonger();
  EXPECT_TRUE(source_.paused());
  EXPECT_TRUE(store_.Has("bolt/a/1"));
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_TRUE(dead_letters_.letters().empty());
}

// Whatever fails in whatever order, every offset stored is landed, parked or a dead letter.
TEST_F(LanesTest, NoRecordIsLostWhateverFails) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    FakeSource source;
    FakeDocumentStore store;
    KafkaLog kafka;
    FakeParking parking(kafka);
    MemoryDatabase memory;
    MemoryProjectionStore projections(memory);
    source.Assign({kHeartbeats0});
    Worker::Parts parts{source, store,           projections, dead_letters_, by_tenant_, clock_,
                        log_,   reader_metrics_, board_,      nullptr,       &parking};
    Worker worker(options_, parts, 0, seed);
    int64_t pushed = 0;
    std::set<int64_t> parked;
    std::map<Partition, size_t> read;
    const auto tenant = [](int64_t n) { return std::string(1, static_cast<char>('a' + n % 3)); };
    for (int turn = 0; turn < 200; ++turn) {
      const std::string database = "tidegate_" + tenant(static_cast<int64_t>(random() % 3));
      switch (random() % 8) {
        case 0:
          store.TakeDown(database);
          break;
        case 1:
          store.Restore(database);
          break;
        case 2:
          parking.TakeDown();
          break;
        case 3:
          parking.Restore();
          break;
        default:
          source.Push(kHeartbeats0, R"({"asset_id":"a","event_id":")" + std::to_string(pushed) +
                                        R"(","tenant_id":")" + tenant(pushed) + "\"}");
          ++pushed;
      }
      clock_.Advance(std::chrono::milliseconds(random() % 400));
      ASSERT_TRUE(worker.Step(std::chrono::milliseconds(0)).ok());
      for (const auto& [partition, messages] : kafka.partitions)
        for (size_t& i = read[partition]; i < messages.size(); ++i)
          parked.insert(ReadParked(messages[i])->record.offset);
      for (int64_t offset = 0; offset < source.stored(kHeartbeats0); ++offset) {
        ASSERT_TRUE(parked.contains(offset) ||
                    store.Has(tenant(offset) + "/a/" + std::to_string(offset)))
            << "seed " << seed << " offset " << offset;
      }
    }
    parking.Restore();
    for (int i = 0; i < 60; ++i) {
      clock_.Advance(std::chrono::milliseconds(500));
      ASSERT_TRUE(worker.Step(std::chrono::milliseconds(0)).ok());
    }
    EXPECT_EQ(source.stored(kHeartbeats0), pushed) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tidegate::reader
