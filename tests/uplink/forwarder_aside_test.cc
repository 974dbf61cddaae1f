// A topic for each tenant, and one that accepts nothing: the others of its class go on.
#include <map>
#include <random>

#include "tests/support/store_proxy.h"
#include "tests/uplink/forwarder_fixture.h"
#include "uplink/forwarder.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ForwarderAsideTest : public ForwarderTest {
 protected:
  static constexpr const char* kGhost = "ghost.heartbeat";

  ForwarderAsideTest() {
    options_.topics.heartbeat = "{tenant}.heartbeat";
    options_.max_tracked_records = 200;
    transport_.RefuseTopic(kGhost);
  }
  static Record Heartbeat(const std::string& tenant, const std::string& asset = "truck-1") {
    Record record = MakeRecord(RecordClass::kHeartbeat, asset, std::string(100, 'x'));
    record.tenant = tenant;
    return record;
  }
  void StoreMixed(size_t batches) {
    std::vector<Record> records;
    for (int i = 0; i < 5; ++i) {
      records.push_back(Heartbeat("ghost"));
      records.push_back(Heartbeat("acme"));
    }
    for (size_t i = 0; i < batches; ++i) Store(RecordClass::kHeartbeat, records);
  }
  void RunFor(std::chrono::milliseconds duration) {
    for (auto left = duration; left > 0ms; left -= 100ms) {
      AckAll();
      Wait(100ms);
    }
  }
  size_t AckedOf(const std::string& topic) {
    return static_cast<size_t>(std::ranges::count_if(
        transport_.delivered(),
        [&](const ScriptedTransport::Sent& sent) { return sent.message.topic == topic; }));
  }
  void ExpectEachAssetInOrder() {
    std::map<std::string, Seq> last;
    for (const auto& sent : transport_.delivered()) {
      Seq& before = last[sent.message.topic + " " + sent.message.key];
      EXPECT_LT(before, sent.seq) << sent.message.topic << " " << sent.message.key;
      before = sent.seq;
    }
  }
};

TEST_F(ForwarderAsideTest, ATopicThatAcceptsNothingDoesNotStopItsClass) {
  Start();
  StoreMixed(200);
  RunFor(5s);
  EXPECT_EQ(AckedOf("acme.heartbeat"), 1000U);
  EXPECT_EQ(AckedOf(kGhost), 0U);
  EXPECT_EQ(forwarder_->status().topics_aside, 1U);
  EXPECT_EQ(Stored(), 2000U) << "its batches wait for it";
  EXPECT_FALSE(forwarder_->Idle());
}

TEST_F(ForwarderAsideTest, WhatWasAsideArrivesOnceAndInOrderWhenItsTopicOpens) {
  Start();
  StoreMixed(200);
  RunFor(5s);
  transport_.AllowTopic(kGhost);
  StoreMixed(10);
  RunFor(60s);
  EXPECT_EQ(AckedOf(kGhost), 1050U);
  EXPECT_EQ(AckedOf("acme.heartbeat"), 1050U);
  ExpectEachAssetInOrder();
  EXPECT_EQ(Stored(), 0U);
  EXPECT_EQ(forwarder_->status().topics_aside, 0U);
  EXPECT_TRUE(forwarder_->Idle());
}

TEST_F(ForwarderAsideTest, TheOnlyTopicOfAClassWaitsWhereItIs) {
  options_.topics.heartbeat = kGhost;
  Start();
  StoreMixed(50);
  RunFor(5s);
  EXPECT_EQ(forwarder_->status().topics_aside, 0U);
  transport_.AllowTopic(kGhost);
  RunFor(60s);
  EXPECT_EQ(AckedOf(kGhost), 500U);
  EXPECT_EQ(Stored(), 0U);
}

TEST_F(ForwarderAsideTest, AFullStoreDropsWhatIsAsideBeforeWhatWaits) {
  store_ = MemoryStore({.gateway = "gw-1", .max_bytes = 60'000});
  Start();
  for (int i = 0; i < 300; ++i) Store(RecordClass::kHeartbeat, {Heartbeat("ghost")});
  RunFor(5s);
  EXPECT_EQ(forwarder_->status().topics_aside, 1U);
  transport_.SetRoom(0);
  for (int i = 0; i < 500; ++i) Store(RecordClass::kHeartbeat, {Heartbeat("acme")});
  transport_.SetRoom(1000);
  RunFor(5s);
  EXPECT_EQ(AckedOf("acme.heartbeat"), 500U);
  std::vector<std::string> gaps;
  for (const auto& sent : transport_.delivered()) {
    if (sent.message.topic == options_.topics.gap) gaps.push_back(sent.message.value);
  }
  EXPECT_THAT(gaps, SizeIs(200));
  EXPECT_THAT(gaps, Each(HasSubstr(R"("tenant_id":"ghost")")));
}

TEST_F(ForwarderAsideTest, ATopicWhoseRecordsStayInFlightIsRecalled) {
  options_.max_in_flight_records = 50;
  transport_.AllowTopic(kGhost);
  Start();
  for (int second = 0; second < 200; ++second) {
    StoreMixed(4);
    for (int i = 0; i < 10; ++i) {
      for (const Seq seq : transport_.PendingSeqs()) {
        if (seq % 2 == 0) transport_.Ack(seq);  // The tenants alternate; ghost's is never answered.
      }
      Turn();
      Wait(100ms);
    }
  }
  EXPECT_GE(AckedOf("acme.heartbeat"), 3500U);
  EXPECT_EQ(forwarder_->status().topics_aside, 1U);
}

TEST_F(ForwarderAsideTest, ATopicThatTheLibraryHoldsStopsNoOther) {
  options_.topics.heartbeat = "heartbeats";
  options_.topics.reading = "readings";
  options_.max_in_flight_records = 100;
  Start();
  const auto ack_heartbeats = [&] {
    for (const auto& sent : std::vector(transport_.pending()))
      if (sent.message.topic == "heartbeats") transport_.Ack(sent.seq);
    Turn();
  };
  for (int i = 0; i < 200; ++i)
    Store(RecordClass::kReading, {MakeRecord(RecordClass::kReading, "pump", "{}")});
  ASSERT_EQ(transport_.pending().size(), 100U);
  StoreHeartbeats(1000);
  for (int i = 0; i < 100; ++i) {
    ack_heartbeats();
    Wait(100ms);
  }
  EXPECT_EQ(AckedOf("heartbeats"), 1000U) << "also while all the rest is in flight";
  EXPECT_EQ(AckedOf("readings"), 0U);
  RunFor(60s);
  EXPECT_EQ(AckedOf("readings"), 200U);
  EXPECT_EQ(Stored(), 0U);
}

TEST_F(ForwarderAsideTest, WhatIsRecalledIsSentAgainInSmallPortions) {
  options_.topics.heartbeat = kGhost;
  transport_.AllowTopic(kGhost);
  options_.max_in_flight_records = 100;
  Start();
  StoreHeartbeats(200);
  ASSERT_EQ(transport_.pending().size(), 100U);
  Wait(59s);
  EXPECT_EQ(transport_.pending().size(), 100U);
  Wait(2s);
  Wait(1s);
  EXPECT_EQ(transport_.pending().size(), 10U);
  RunFor(60s);
  EXPECT_EQ(AckedOf(kGhost), 200U);
}

TEST_F(ForwarderAsideTest, WhatIsAsideArrivesWithoutAnotherAppend) {
  options_.max_tracked_records = 20'000;
  Start();
  for (int i = 0; i < 1200; ++i)
    Store(RecordClass::kHeartbeat, std::vector<Record>(10, Heartbeat("ghost")));
  RunFor(1s);
  ASSERT_EQ(forwarder_->status().topics_aside, 1U);
  transport_.AllowTopic(kGhost);
  RunFor(120s);
  EXPECT_EQ(AckedOf(kGhost), 12'000U);
  EXPECT_TRUE(forwarder_->Idle());
}

TEST_F(ForwarderAsideTest, ASlowTopicDoesNotSlowDownTheOthers) {
  transport_.AllowTopic(kGhost);
  options_.max_in_flight_records = 50;
  Start();
  size_t stored = 0;
  for (int i = 0; i < 600; ++i) {
    StoreMixed(2);
    stored += 10;
    for (const auto& sent : std::vector(transport_.pending()))
      if (sent.message.topic != kGhost || i % 8 == 0) transport_.Ack(sent.seq);
    Turn();
    Wait(100ms);
    EXPECT_GE(AckedOf("acme.heartbeat") + 100, stored) << "within a second";
  }
  RunFor(120s);
  EXPECT_EQ(AckedOf(kGhost), stored);
  ExpectEachAssetInOrder();
}

// A store that adds a gap record while it deletes what was delivered.
class DeclaringStore final : public StoreProxy {
 public:
  DeclaringStore(Store& store, Record gap)
      : StoreProxy(store), store_(store), gap_(std::move(gap)) {}
  Status Flush() override {
    const Status status = StoreProxy::Flush();
    if (std::exchange(declared_, true)) return status;
    AppendRequest request;
    const std::vector<Record> records{gap_};
    request.batches = {{RecordClass::kGap, records}};
    EXPECT_TRUE(store_.Append(request).ok());
    return status;
  }

 private:
  class Store& store_;
  Record gap_;
  bool declared_ = false;
};

TEST_F(ForwarderAsideTest, AGapRecordThatTheStoreAddsByItselfIsSent) {
  DeclaringStore store(store_, MakeRecord(RecordClass::kGap, "gw-1", "{}"));
  Forwarder forwarder(store, transport_, loop_, clock_, log_, metrics_, options_);
  Turn();
  StoreHeartbeats(1);
  forwarder.OnStored();
  Turn();
  RunFor(10s);
  EXPECT_EQ(AckedOf(options_.topics.gap), 1U);
  EXPECT_EQ(Stored(), 0U);
}

// Topics that come and go, refusals and retries: each record arrives or is a dead letter, once, and
// each asset's records arrive in order.
class ForwarderTenantsTest : public ForwarderAsideTest,
                             public ::testing::WithParamInterface<unsigned> {};

TEST_P(ForwarderTenantsTest, NothingIsLostAndOrderHolds) {
  std::mt19937 random(GetParam());
  options_.max_in_flight_records = 60;
  options_.max_tracked_records = 40 + random() % 100;
  const std::vector<std::string> tenants{"a", "b", "c", "ghost"};
  const auto refuses = [](const WireMessage& message) {
    return message.headers[0].second.ends_with("77");
  };
  Start();
  size_t stored = 0;
  for (int step = 0; step < 500; ++step) {
    std::vector<Record> records;
    for (size_t i = random() % 12; i > 0; --i) {
      records.push_back(Heartbeat(tenants[random() % 4], "truck-" + std::to_string(random() % 3)));
    }
    stored += records.size();
    if (!records.empty()) Store(RecordClass::kHeartbeat, records);
    const auto dice = random() % 20;
    const std::string topic = tenants[random() % 4] + ".heartbeat";
    if (dice == 0) transport_.RefuseTopic(topic);
    if (dice == 1) transport_.AllowTopic(topic);
    if (dice == 2) transport_.RetryAll();
    if (dice == 3) transport_.AnswerRequests(refuses);
    for (size_t i = random() % 30; dice > 3 && i > 0 && !transport_.pending().empty(); --i) {
      transport_.Ack(transport_.pending().front().seq);
    }
    Turn();
    Wait(std::chrono::milliseconds(random() % 300));
  }
  for (const std::string& tenant : tenants) transport_.AllowTopic(tenant + ".heartbeat");
  AnswerAll(refuses);
  EXPECT_EQ(transport_.acked().size() + store_.dead_letters().size(), stored);
  ExpectEachAssetInOrder();
  EXPECT_EQ(Stored(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ForwarderTenantsTest, ::testing::Range(1U, 17U));

}  // namespace
}  // namespace tidegate
