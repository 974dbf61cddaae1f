// Pipeline, store, clock watch and forwarder together, on a gateway that boots in 1970 and whose
// clock is set while records arrive.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/clock_watch.h"
#include "agent/pipeline/pipeline.h"
#include "core/json/json.h"
#include "core/time_format.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_store.h"
#include "tests/support/quiet_driver.h"
#include "tests/support/scripted_transport.h"
#include "uplink/forwarder.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

const WallTime kNow = std::chrono::sys_days{std::chrono::year{2026} / 11 / 24};
constexpr std::chrono::seconds kUpSince = 20s;

class ClockHonestyTest : public testing::Test {
 protected:
  ClockHonestyTest() {
    clock_.Reboot({}, kUpSince);
    clock_.SetWall(WallTime(kUpSince));
    clock_.SetSynced(false);
    Start();
  }

  // Also after a crash: what was on its way is forgotten, the store is kept.
  void Start() {
    forwarder_.reset();
    transport_ = ScriptedTransport();
    transport_.SetConnected(false);
    pipeline_.reset();
    watch_.reset();
    store_.Restart();
    watch_ = std::make_unique<ClockWatch>(store_, loop_, clock_, log_, metrics_);
    pipeline_ = std::make_unique<Pipeline>(store_, loop_, clock_, log_, metrics_,
                                           std::vector<Rule>{*ParseRule("hot", "t > 50 for 10s")},
                                           Pipeline::Options{});
    pipeline_->OnStored([this](Seq, const AppendRequest&) {
      watch_->Poll();
      ++commits_;
      forwarder_->OnStored();
    });
    inbox_ = &pipeline_->AddInput({.name = "local",
                                   .tenant = "acme",
                                   .asset = "truck-1",
                                   .record_class = RecordClass::kHeartbeat},
                                  &driver_);
    next_ticket_ = 1;
    Forwarder::Options options;
    options.gateway = "gw-1";
    options.clock_history = &watch_->history();
    forwarder_ =
        std::make_unique<Forwarder>(store_, transport_, loop_, clock_, log_, metrics_, options);
    watch_->OnSet([this](bool back) { forwarder_->OnClockSet(back); });
    Turn();
  }
  void Reboot(BootTime since_boot = kUpSince) {
    clock_.Reboot({}, since_boot);
    clock_.SetWall(WallTime(std::chrono::floor<milliseconds>(since_boot)));
    clock_.SetSynced(false);
    Start();
  }
  void Sync(WallTime now) {
    clock_.SetWall(now);
    clock_.SetSynced(true);
  }
  // As the kernel does it: who sets the clock by hand ends its being synchronised.
  void SetByHand(milliseconds step) {
    clock_.StepWall(step);
    clock_.SetSynced(false);
  }
  void Turn() {
    for (int i = 0; i < 100 && loop_.turn_end_pending(); ++i) loop_.EndTurn();
  }
  void Wait(milliseconds duration) {
    loop_.Advance(duration);
    Turn();
  }
  void Take(const std::string& payload) {
    ASSERT_TRUE(inbox_->Offer(
        {.payload = payload, .tenant = {}, .asset = {}, .origin = "test", .packet_id = {}},
        next_ticket_++));
    Turn();
  }
  // A reading that is committed before the clock can be set.
  void TakeAndCommit(const std::string& payload) {
    Take(payload);
    Wait(200ms);
  }
  // The link comes up, and everything that is stored is sent and acknowledged.
  void Deliver() {
    transport_.SetConnected(true);
    for (int i = 0; i < 100 && !forwarder_->Idle(); ++i) {
      Turn();
      transport_.AckAll();
      Wait(100ms);  // What was taken back waits a little.
    }
    ASSERT_TRUE(forwarder_->Idle());
  }

  std::vector<WireMessage> Delivered(std::string_view kind = "heartbeat") {
    std::vector<WireMessage> messages;
    for (const auto& sent : transport_.delivered()) {
      if (Header(sent.message, "tg-kind") == kind) messages.push_back(sent.message);
    }
    return messages;
  }
  static std::string Header(const WireMessage& message, std::string_view name) {
    for (const auto& [key, value] : message.headers) {
      if (key == name) return value;
    }
    return "";
  }
  static std::string Text(const WireMessage& message, std::string_view member) {
    const auto document = json::Document::Parse(message.value);
    return std::string(document->root().Find(member)->as_string());
  }
  static WallTime TimeOf(const WireMessage& message) {
    return *ParseTime(Text(message, "timestamp"));
  }
  static std::string AlertIdOf(const WireMessage& message) {
    return AlertId({.tenant = Text(message, "tenant_id"),
                    .asset = Text(message, "asset_id"),
                    .rule = Text(message, "rule"),
                    .raised_at = *ParseTime(Text(message, "raised_at")),
                    .status = Text(message, "status")});
  }
  std::vector<WallTime> Times() {
    std::vector<WallTime> times;
    for (const WireMessage& message : Delivered()) times.push_back(TimeOf(message));
    return times;
  }
  static void ExpectRestamped(const WireMessage& message) {
    EXPECT_EQ(Header(message, "tg-clock"), "synced");
    EXPECT_EQ(Header(message, "tg-restamped"), "1");
    EXPECT_EQ(message.timestamp, TimeOf(message));
  }
  static void ExpectUnsynced(const WireMessage& message) {
    EXPECT_EQ(Header(message, "tg-clock"), "unsynced");
    EXPECT_EQ(Header(message, "tg-restamped"), "");
    EXPECT_EQ(message.timestamp, std::nullopt);
  }

  FakeClock clock_;
  ManualLoop loop_{clock_};
  Log log_{LogLevel::kError, [](LogLevel, std::string_view line) { ADD_FAILURE() << line; }};
  Metrics metrics_;
  MemoryStore store_;
  ScriptedTransport transport_;
  QuietDriver driver_;
  std::unique_ptr<ClockWatch> watch_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<Forwarder> forwarder_;
  Inbox* inbox_ = nullptr;
  Ticket next_ticket_ = 1;
  int commits_ = 0;
};

TEST_F(ClockHonestyTest, WhatCameBeforeTheFirstSyncIsSentWithTheTimeAtWhichItReallyCame) {
  TakeAndCommit(R"({"n":1})");
  Wait(30s);
  TakeAndCommit(R"({"n":2})");
  Wait(9'600ms);
  Sync(kNow);
  TakeAndCommit(R"({"n":3})");
  Deliver();
  EXPECT_THAT(Times(), ElementsAre(kNow - 40s, kNow - 9'800ms, kNow));
  ExpectRestamped(Delivered()[0]);
  ExpectRestamped(Delivered()[1]);
  EXPECT_EQ(Header(Delivered()[2], "tg-restamped"), "");
  EXPECT_EQ(Delivered()[2].timestamp, kNow);
  EXPECT_THAT(transport_.acked(), ElementsAre(1, 2, 3));
}

TEST_F(ClockHonestyTest, ATimeThatTheSourceGaveIsNeverTouched) {
  TakeAndCommit(R"({"n":1,"timestamp":"2026-11-20T10:00:00Z"})");
  Sync(kNow);
  Wait(1s);
  Deliver();
  ASSERT_THAT(Delivered(), SizeIs(1));
  EXPECT_EQ(Text(Delivered()[0], "timestamp"), "2026-11-20T10:00:00.000Z");
  EXPECT_EQ(Header(Delivered()[0], "tg-time"), "source");
  EXPECT_EQ(Header(Delivered()[0], "tg-clock"), "unsynced");
  EXPECT_EQ(Header(Delivered()[0], "tg-restamped"), "");
}

TEST_F(ClockHonestyTest, WhatIsSentAgainAfterTheSyncIsTheSameRecordWithABetterTime) {
  transport_.SetConnected(true);
  TakeAndCommit(R"({"n":1})");
  ASSERT_THAT(transport_.pending(), SizeIs(1));
  const WireMessage before = transport_.pending()[0].message;
  ExpectUnsynced(before);
  Sync(kNow);
  Wait(1s);
  transport_.RetryAll();
  Wait(1min);
  ASSERT_THAT(transport_.pending(), SizeIs(1));
  const WireMessage after = transport_.pending()[0].message;
  ExpectRestamped(after);
  EXPECT_EQ(TimeOf(after), kNow - 200ms);
  EXPECT_EQ(Header(after, "tg-id"), Header(before, "tg-id"));
  EXPECT_EQ(after.value.size(), before.value.size());
}

TEST_F(ClockHonestyTest, ARestartBetweenArrivalAndSyncChangesNothing) {
  TakeAndCommit(R"({"n":1})");
  Wait(5s);
  Start();
  Wait(5s);
  Sync(kNow);
  Wait(1s);
  Start();
  Deliver();
  EXPECT_THAT(Times(), ElementsAre(kNow - 10'200ms));
  ExpectRestamped(Delivered()[0]);
}

TEST_F(ClockHonestyTest, AnEarlierBootIsDatedIfItWasSynchronisedLater) {
  TakeAndCommit(R"({"n":1})");
  Sync(kNow);
  Wait(1s);
  Reboot();
  TakeAndCommit(R"({"n":2})");
  Sync(kNow + 1h);
  Wait(1s);
  Deliver();
  EXPECT_THAT(Times(), ElementsAre(kNow - 200ms, kNow + 1h - 200ms));
}

TEST_F(ClockHonestyTest, ABootThatNeverWasSynchronisedIsSentAsItIs) {
  TakeAndCommit(R"({"n":1})");
  Reboot();
  Sync(kNow);
  Wait(1s);
  Deliver();
  EXPECT_THAT(Times(), ElementsAre(WallTime(kUpSince)));
  ExpectUnsynced(Delivered()[0]);
}

TEST_F(ClockHonestyTest, AClockThatIsSetBetweenARecordAndItsCommitIsOffByThatWaitAtMost) {
  Take(R"({"n":1})");
  Wait(100ms);
  Sync(kNow);
  Wait(100ms);
  Deliver();
  ASSERT_THAT(Times(), SizeIs(1));
  EXPECT_GE(Times()[0], kNow - 100ms);
  EXPECT_LE(Times()[0], kNow + 100ms);
  ExpectRestamped(Delivered()[0]);
}

TEST_F(ClockHonestyTest, AClockSetByHandWhileItRunsMisdatesNothing) {
  Sync(kNow);
  TakeAndCommit(R"({"n":1})");
  SetByHand(-std::chrono::years(10));
  TakeAndCommit(R"({"n":2})");
  SetByHand(std::chrono::years(10) + 1h);
  TakeAndCommit(R"({"n":3})");
  Sync(kNow + 600ms);
  TakeAndCommit(R"({"n":4})");
  Deliver();
  EXPECT_THAT(Times(), ElementsAre(kNow, kNow + 200ms, kNow + 400ms, kNow + 600ms));
  EXPECT_THAT(transport_.acked(), ElementsAre(1, 2, 3, 4));
}

TEST_F(ClockHonestyTest, HoldTimesOfRulesAreMeasuredOnTheTimeSinceBoot) {
  for (const milliseconds step : {milliseconds(std::chrono::years(56)), milliseconds(1h),
                                  milliseconds(-std::chrono::years(10))}) {
    TakeAndCommit(R"({"t":60})");
    SetByHand(step);
    Wait(9s);
    TakeAndCommit(R"({"t":60})");
    EXPECT_EQ(pipeline_->alerts_raised(), 0U) << step.count();
    Wait(1s);
    TakeAndCommit(R"({"t":60})");
    EXPECT_EQ(pipeline_->alerts_raised(), 1U) << step.count();
    TakeAndCommit(R"({"t":20})");
    EXPECT_EQ(pipeline_->alerts_raised(), 0U);
  }
}

TEST_F(ClockHonestyTest, CommitsGoOnAtTheirIntervalWhateverTheClockSays) {
  int expected = 0;
  for (const milliseconds step : {milliseconds(std::chrono::years(56)), milliseconds(1h),
                                  milliseconds(-std::chrono::years(10))}) {
    Take(R"({"n":1})");
    SetByHand(step);
    Wait(199ms);
    EXPECT_EQ(commits_, expected) << step.count();
    Wait(1ms);
    EXPECT_EQ(commits_, ++expected) << step.count();
  }
}

// Sent before the sync, again after it, and cleared after it: one alert, whose name stays.
TEST_F(ClockHonestyTest, AnAlertKeepsItsNameWhenItsTimeIsCorrected) {
  transport_.SetConnected(true);
  TakeAndCommit(R"({"t":60})");
  Wait(10s);
  TakeAndCommit(R"({"t":60})");
  const WallTime raised_at{kUpSince + 10'200ms};
  transport_.AckAll();
  Turn();
  const WireMessage before = Delivered("alert").at(0);
  ExpectUnsynced(before);
  EXPECT_EQ(TimeOf(before), raised_at);

  // The acknowledgement was lost with the agent: a copy of the alert is still stored.
  Record alert;
  alert.record_class = RecordClass::kAlert;
  alert.time = raised_at;
  alert.tenant = "acme";
  alert.asset = "truck-1";
  alert.value = before.value;
  AppendRequest again;
  again.batches = {{RecordClass::kAlert, {&alert, 1}}};
  again.stamp = StampNow(clock_);
  ASSERT_TRUE(store_.Append(again).ok());
  Sync(kNow);
  TakeAndCommit(R"({"t":20})");
  Deliver();

  ASSERT_THAT(Delivered("alert"), SizeIs(3));
  const WireMessage after = Delivered("alert")[1];
  const WireMessage cleared = Delivered("alert")[2];
  ExpectRestamped(after);
  EXPECT_EQ(TimeOf(after), kNow - 200ms);
  EXPECT_EQ(AlertIdOf(after), AlertIdOf(before));
  EXPECT_EQ(TimeOf(cleared), kNow);
  EXPECT_EQ(Text(cleared, "raised_at"), FormatTime(raised_at));
  EXPECT_EQ(AlertIdOf(cleared), "acme/truck-1/hot/30200/cleared");
  EXPECT_EQ(AlertIdOf(before), "acme/truck-1/hot/30200/raised");
}

}  // namespace
}  // namespace tidegate
