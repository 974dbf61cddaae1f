// The order in which the forwarder sends: shares, gathered batches, and each asset's own order.
#include <map>
#include <random>

#include "tests/uplink/forwarder_fixture.h"
#include "uplink/forwarder.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ForwarderOrderTest : public ForwarderTest {
 protected:
  Seq StoreReadings(size_t count) {
    return Store(RecordClass::kReading,
                 std::vector<Record>(count, MakeRecord(RecordClass::kReading, "meter-1", "{}")));
  }
  // Of those that were acknowledged.
  size_t CountOf(const std::string& topic) {
    return static_cast<size_t>(std::ranges::count_if(
        transport_.delivered(),
        [&](const ScriptedTransport::Sent& sent) { return sent.message.topic == topic; }));
  }
  void ExpectEachAssetInOrder() {
    std::map<std::string, Seq> last;
    for (const auto& sent : transport_.delivered()) {
      Seq& before = last[sent.message.topic + " " + sent.message.key];
      EXPECT_LT(before, sent.seq) << sent.message.key;
      before = sent.seq;
    }
  }
};

TEST_F(ForwarderOrderTest, LiveReadingsKeepTheirShareWhileABacklogOfHeartbeatsDrains) {
  options_.max_in_flight_records = 100;
  for (int i = 0; i < 200; ++i) StoreHeartbeats(20);
  for (int i = 0; i < 100; ++i) StoreReadings(20);
  Start();
  for (int i = 0; i < 10; ++i) {
    transport_.AckAll();
    Turn();
  }
  const double all = static_cast<double>(transport_.delivered().size());
  EXPECT_NEAR(static_cast<double>(CountOf("telemetry.raw")) / all, 0.2, 0.05);
  AckAll();
  ExpectEachAssetInOrder();
}

TEST_F(ForwarderOrderTest, ALiveHeartbeatIsNotHeldUpByABacklogOfReadings) {
  options_.max_in_flight_records = 100;
  options_.live_share_percent = 50;
  for (int i = 0; i < 200; ++i) StoreReadings(20);
  for (int i = 0; i < 50; ++i) StoreHeartbeats(20);
  Start();
  for (int i = 0; i < 10; ++i) {
    transport_.AckAll();
    Turn();
  }
  const double all = static_cast<double>(transport_.delivered().size());
  EXPECT_NEAR(static_cast<double>(CountOf("telemetry.raw")) / all, 0.5, 0.08);
}

TEST_F(ForwarderOrderTest, WithoutAShareWhatIsBehindGoesFirst) {
  options_.live_share_percent = 0;
  StoreReadings(20);
  StoreHeartbeats(20);
  Start();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAreArray(Range(1, 40)));
}

TEST_F(ForwarderOrderTest, RecordsOfAnAssetTravelSideBySideAndInOrder) {
  std::vector<Record> records;
  for (int round = 0; round < 5; ++round) {
    for (const char* asset : {"b", "a"}) {
      records.push_back(MakeRecord(RecordClass::kHeartbeat, asset, "{}"));
    }
  }
  Store(RecordClass::kHeartbeat, records);
  Start();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(2, 4, 6, 8, 10, 1, 3, 5, 7, 9));
}

TEST_F(ForwarderOrderTest, SmallBatchesOfABacklogAreGathered) {
  for (int round = 0; round < 4; ++round) {
    Store(RecordClass::kHeartbeat, {MakeRecord(RecordClass::kHeartbeat, "b", "{}"),
                                    MakeRecord(RecordClass::kHeartbeat, "a", "{}")});
  }
  Start();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(2, 4, 6, 8, 1, 3, 5, 7));
}

TEST_F(ForwarderOrderTest, YoungRecordsWaitForCompany) {
  options_.linger = 2s;
  Start();
  StoreHeartbeats(1);
  Wait(1s);
  StoreHeartbeats(1);
  Wait(999ms);
  EXPECT_THAT(transport_.pending(), IsEmpty());
  Wait(1ms);
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2));
}

TEST_F(ForwarderOrderTest, AlertsDoNotWait) {
  options_.linger = 2s;
  Start();
  StoreHeartbeats(1);
  StoreAlert();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(2));
}

TEST_F(ForwarderOrderTest, EnoughRecordsDoNotWait) {
  options_.linger = 2s;
  Start();
  StoreHeartbeats(999);
  EXPECT_THAT(transport_.pending(), IsEmpty());
  StoreHeartbeats(1);
  EXPECT_THAT(transport_.pending(), SizeIs(1000));
}

TEST_F(ForwarderOrderTest, ABacklogDoesNotWait) {
  options_.linger = 2s;
  StoreHeartbeats(1);
  clock_.Reboot();
  Start();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1));
}

TEST_F(ForwarderOrderTest, HurriedNothingWaits) {
  options_.linger = 2s;
  Start();
  StoreHeartbeats(1);
  forwarder_->Hurry();
  Turn();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1));
}

// Many assets, small batches of both kinds, and a link that returns what it likes: each asset's
// records arrive in order, and all of them.
class ForwarderManyAssetsTest : public ForwarderOrderTest,
                                public ::testing::WithParamInterface<unsigned> {};

TEST_P(ForwarderManyAssetsTest, EachAssetsOrderHolds) {
  std::mt19937 random(GetParam());
  options_.max_in_flight_records = 60;
  options_.linger = std::chrono::milliseconds(random() % 500);
  Start();
  size_t stored = 0;
  for (int step = 0; step < 400; ++step) {
    std::vector<Record> records;
    const auto record_class = random() % 2 ? RecordClass::kHeartbeat : RecordClass::kReading;
    for (size_t i = random() % 12; i > 0; --i) {
      records.push_back(MakeRecord(record_class, "truck-" + std::to_string(random() % 4), "{}"));
    }
    stored += records.size();
    if (!records.empty()) Store(record_class, records);
    const auto dice = random() % 10;
    if (dice == 0) transport_.RetryAll();
    if (dice == 1)
      transport_.AnswerRequests([&](const WireMessage&) { return random() % 50 == 0; });
    for (size_t i = random() % 30; dice > 1 && i > 0 && !transport_.pending().empty(); --i) {
      transport_.Ack(transport_.pending().front().seq);
    }
    Turn();
    Wait(std::chrono::milliseconds(random() % 300));
  }
  AnswerAll([](const WireMessage&) { return false; });
  EXPECT_EQ(transport_.acked().size() + store_.dead_letters().size(), stored);
  ExpectEachAssetInOrder();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ForwarderManyAssetsTest, ::testing::Range(1U, 11U));

}  // namespace
}  // namespace tidegate
