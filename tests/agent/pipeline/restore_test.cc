// The state over crashes: what several lives emit and store equals what one life would have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agent/pipeline/pipeline.h"
#include "core/time_format.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_store.h"
#include "tests/support/quiet_driver.h"
#include "tests/support/store_proxy.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::SizeIs;

// Saves a snapshot only when the test says so, and can say that it was given none.
class SeldomStore final : public StoreProxy {
 public:
  explicit SeldomStore(MemoryStore& store) : StoreProxy(store), memory_(store) {}
  void SetSnapshotSource(SnapshotSource source) override {
    if (!source) return memory_.SetSnapshotSource(nullptr);
    memory_.SetSnapshotSource([this, source = std::move(source)]() -> std::optional<std::string> {
      if (!wanted) return std::nullopt;
      return source();
    });
  }
  Result<Seq> Append(const AppendRequest& request) override {
    ++appends;
    if (!failures.empty()) {
      const Error error = failures.back();
      failures.pop_back();
      return error;
    }
    size_t items = request.dead_letters.size();
    for (const auto& batch : request.batches) {
      items += batch.records.size();
      for (const Record& record : batch.records) {
        if (batch.record_class != RecordClass::kAlert && record.value.size() > largest_value)
          items = most_items + 1;
      }
    }
    if (items > most_items) return Error{ErrorCode::kRejected, "more than it takes at once"};
    return StoreProxy::Append(request);
  }
  Result<std::optional<Batch>> Replay(RecordClass record_class, Seq after) override {
    if (++replays == failing_replay) return Error{ErrorCode::kUnavailable, "disk I/O error"};
    return StoreProxy::Replay(record_class, after);
  }
  int appends = 0;
  int replays = 0;
  int failing_replay = 0;  // Which of the replays fails; 0: none.
  bool wanted = false;
  size_t most_items = 1'000'000;
  size_t largest_value = 1'000'000;
  std::vector<Error> failures;

 private:
  MemoryStore& memory_;
};

std::vector<Rule> Rules() {
  return {*ParseRule("hot", "t > 50 clear 40"), *ParseRule("long", "t > 45 for 2s"),
          *ParseRule("door", "door == open for 1s"), *ParseRule("id", "device_id == a")};
}

// A gateway with two inputs, whose process can be killed.
class Gateway {
 public:
  explicit Gateway(std::vector<Rule> rules = Rules()) : rules_(std::move(rules)) { Start(); }
  ~Gateway() { pipeline_.reset(); }

  void Start() {
    Pipeline::Options options;
    options.default_tenant = "acme";
    options.commit_records = 1'000'000;
    options.fold = fold;
    pipeline_.emplace(store, loop_, clock, log_, metrics, rules_, options);
    pipeline_->Restore();
    inboxes_ = {&pipeline_->AddInput({"beats", "", "", RecordClass::kHeartbeat}, &driver_),
                &pipeline_->AddInput({"reads", "", "", RecordClass::kReading}, &driver_)};
    tickets_ = {};
  }
  void Kill() {
    pipeline_.reset();
    memory.Restart();
  }
  void Restart() {
    Kill();
    Start();
  }
  void UseRules(std::vector<Rule> rules) { rules_ = std::move(rules); }
  void Offer(size_t input, std::string_view payload, std::optional<uint16_t> packet_id = {},
             bool retained = false) {
    ASSERT_TRUE(inboxes_[input]->Offer({.payload = payload,
                                        .tenant = {},
                                        .asset = {},
                                        .origin = "o",
                                        .retained = retained,
                                        .packet_id = packet_id},
                                       ++tickets_[input]));
  }
  void OfferRetained(std::string_view payload) { Offer(0, payload, {}, /*retained=*/true); }
  void Resumed(size_t input) { inboxes_[input]->OnSession({.resumed = true, .acknowledged = 0}); }
  std::vector<std::string> Stored(RecordClass record_class) {
    std::vector<std::string> values;
    for (Cursor cursor;;) {
      const auto batch = *memory.Next(cursor);
      if (!batch) return values;
      cursor.last[static_cast<size_t>(batch->record_class)] =
          batch->first_seq + batch->records.size() - 1;
      if (batch->record_class != record_class) continue;
      for (const Record& record : batch->records) values.push_back(record.value);
    }
  }
  std::vector<std::string> Alerts() { return Stored(RecordClass::kAlert); }
  Pipeline& pipeline() { return *pipeline_; }

  FakeClock clock;
  MemoryStore memory;
  SeldomStore store{memory};
  Fold::Options fold;
  Metrics metrics;

 private:
  ManualLoop loop_{clock};
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  QuietDriver driver_;
  std::vector<Rule> rules_;
  std::optional<Pipeline> pipeline_;
  std::vector<Inbox*> inboxes_;
  std::array<Ticket, 2> tickets_{};
};

constexpr std::string_view kHot = R"({"asset_id":"a","t":60})";
constexpr std::string_view kCool = R"({"asset_id":"a","t":20})";

// The same records and times for every seed; lives are what differs.
void Drive(Gateway& gateway, uint32_t seed, bool crashes) {
  std::mt19937 what(seed);
  std::mt19937 when(seed + 1);
  const auto one_in = [](std::mt19937& random, uint32_t n) { return random() % n == 0; };
  WallTime source_time = *ParseTime("2026-01-01T00:00:00Z");
  for (int step = 0; step < 400; ++step) {
    source_time += milliseconds(what() % 700);
    const size_t input = what() % 2;
    const char* id = one_in(what, 3) ? "device_id" : "asset_id";
    const char asset = static_cast<char>('a' + what() % 3);
    const auto t = what() % 80;
    const char* door = one_in(what, 4) ? "shut" : "open";
    const std::string time =
        one_in(what, 2) ? fmt::format(R"(,"ts":"{}")", FormatTime(source_time)) : "";
    gateway.Offer(input,
                  fmt::format(R"({{"{}":"{}","t":{},"door":"{}"{}}})", id, asset, t, door, time),
                  {}, /*retained=*/one_in(what, 5));
    gateway.clock.Advance(milliseconds(what() % 500));
    gateway.store.wanted = one_in(when, 6);
    if (!one_in(when, 3)) continue;
    if (crashes && one_in(when, 4)) {
      gateway.store.failures.push_back({ErrorCode::kUnavailable, "disk I/O error"});
      gateway.pipeline().Commit();
    }
    ASSERT_TRUE(gateway.pipeline().Commit());
    if (crashes && one_in(when, 3)) gateway.Restart();
  }
  ASSERT_TRUE(gateway.pipeline().Commit());
}

TEST(RestoreTest, ManyLivesRaiseAndClearWhatOneLifeWould) {
  for (uint32_t seed = 0; seed < 12; ++seed) {
    Gateway one;
    Drive(one, seed, /*crashes=*/false);
    Gateway many;
    Drive(many, seed, /*crashes=*/true);
    ASSERT_GT(one.Alerts().size(), 20U);
    ASSERT_THAT(many.Alerts(), ElementsAreArray(one.Alerts())) << "seed " << seed;
    ASSERT_EQ(many.pipeline().alerts_raised(), one.pipeline().alerts_raised());
  }
}

TEST(RestoreTest, ARetainedMessageIsStoredOnceOverASnapshot) {
  Gateway gateway;
  gateway.store.wanted = true;
  gateway.OfferRetained(kHot);
  gateway.pipeline().Commit();
  gateway.Restart();
  gateway.OfferRetained(kHot);
  gateway.Offer(0, kCool);
  gateway.OfferRetained(kHot);
  gateway.pipeline().Commit();
  EXPECT_THAT(gateway.Stored(RecordClass::kHeartbeat), SizeIs(2));
}

TEST(RestoreTest, AnOldRetainedMessageRaisesNoClearedAlertAgainAlsoNotAfterACrash) {
  Gateway gateway;
  gateway.Offer(0, kHot);
  gateway.Offer(0, kCool);
  gateway.pipeline().Commit();
  ASSERT_THAT(gateway.Alerts(), SizeIs(2));
  gateway.OfferRetained(R"({"asset_id":"a","t":61})");
  gateway.OfferRetained(R"({"asset_id":"a","t":61,"ts":"2001-01-01T00:00:00Z"})");
  gateway.pipeline().Commit();
  EXPECT_THAT(gateway.Alerts(), SizeIs(2));
  EXPECT_THAT(gateway.Stored(RecordClass::kHeartbeat), SizeIs(4)) << "it is stored all the same";
  gateway.Restart();
  EXPECT_EQ(gateway.pipeline().alerts_raised(), 0U);
}

TEST(RestoreTest, ARetainedMessageThatIsNewsIsFolded) {
  Gateway gateway;
  gateway.OfferRetained(kHot);
  gateway.OfferRetained(R"({"asset_id":"a","t":20,"ts":"2099-01-01T00:00:00Z"})");
  gateway.pipeline().Commit();
  EXPECT_THAT(gateway.Alerts(), SizeIs(2)) << "the first of its asset, and a later one";
}

TEST(RestoreTest, WhatWasNotStoredLeavesNothingBehind) {
  Gateway gateway;
  gateway.Offer(0, kHot);
  gateway.Restart();
  EXPECT_EQ(gateway.pipeline().alerts_raised(), 0U);
  gateway.Offer(0, kHot);
  gateway.pipeline().Commit();
  EXPECT_THAT(gateway.Alerts(), SizeIs(1));
}

TEST(RestoreTest, NoSnapshotHoldsWhatIsNotStored) {
  Gateway gateway;
  gateway.store.wanted = true;
  gateway.Offer(0, kHot);
  ASSERT_TRUE(gateway.memory.Flush().ok());
  gateway.Restart();
  EXPECT_EQ(gateway.pipeline().alerts_raised(), 0U);
}

TEST(RestoreTest, AWaitOnTheGatewaysTimeEndsWithTheBoot) {
  Gateway gateway({*ParseRule("long", "t > 45 for 2s")});
  gateway.Offer(0, kHot);
  gateway.pipeline().Commit();
  gateway.Kill();
  gateway.clock.Reboot();
  gateway.clock.Advance(milliseconds(60'000));
  gateway.Start();
  gateway.Offer(0, kHot);
  gateway.pipeline().Commit();
  EXPECT_THAT(gateway.Alerts(), SizeIs(0));
  gateway.clock.Advance(milliseconds(2'000));
  gateway.Offer(0, kHot);
  gateway.pipeline().Commit();
  EXPECT_THAT(gateway.Alerts(), SizeIs(1));
}

TEST(RestoreTest, ADamagedSnapshotCostsOnlyWhatItHeld) {
  Gateway gateway;
  gateway.memory.SetSnapshotSource([] { return std::string("\x01garbage"); });
  ASSERT_TRUE(gateway.memory.Flush().ok());
  gateway.Restart();
  gateway.Offer(0, kHot);
  gateway.pipeline().Commit();
  EXPECT_THAT(gateway.Alerts(), SizeIs(1));
}

TEST(RestoreTest, ARuleThatComesBackClearsWhatItHadRaised) {
  Gateway gateway({*ParseRule("hot", "t > 50")});
  gateway.store.wanted = true;
  gateway.Offer(0, kHot);
  gateway.pipeline().Commit();
  gateway.UseRules({});
  gateway.Restart();
  EXPECT_EQ(gateway.pipeline().alerts_raised(), 0U);
  gateway.Offer(1, kHot);
  gateway.pipeline().Commit();
  gateway.UseRules({*ParseRule("hot", "t > 55")});
  gateway.Restart();
  EXPECT_EQ(gateway.pipeline().alerts_raised(), 1U);
  gateway.Offer(0, kHot);
  gateway.Offer(0, kCool);
  gateway.pipeline().Commit();
  EXPECT_THAT(gateway.Alerts(), SizeIs(2)) << "raised once, cleared once";
}

TEST(RestoreTest, ARecordTooLargeToStoreRaisesNothing) {
  Gateway gateway({*ParseRule("hot", "t > 50")});
  gateway.store.largest_value = 120;
  gateway.Offer(0, kCool);
  gateway.Offer(0, fmt::format(R"({{"asset_id":"a","t":70,"x":"{}"}})", std::string(100, 'x')));
  gateway.Offer(1, R"({"asset_id":"b","t":70})");
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_THAT(gateway.Alerts(), SizeIs(1)) << "of b";
  gateway.Offer(0, kHot);
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_THAT(gateway.Alerts(), SizeIs(2));
  EXPECT_THAT(gateway.memory.dead_letters(), SizeIs(1));
}

TEST(RestoreTest, ACommitLargerThanTheStoreTakesAtOnceGoesInParts) {
  Gateway whole;
  Gateway parts;
  parts.store.most_items = 3;
  for (Gateway* gateway : {&whole, &parts}) {
    gateway->store.wanted = true;
    for (uint16_t i = 0; i < 20; ++i) {
      const std::string time = FormatTime(WallTime(milliseconds(1'700'000'000'000 + i * 1000)));
      gateway->Offer(i % 2,
                     fmt::format(R"([{{"asset_id":"a","ts":"{0}","t":{1}}},
                                            {{"asset_id":"b","ts":"{0}","t":{2}}}])",
                                 time, 38 + i % 5 * 5, 60 - i % 7 * 4),
                     i);
      gateway->Offer(0, R"({"asset_id":5)");
    }
    ASSERT_TRUE(gateway->pipeline().Commit());
    EXPECT_EQ(gateway->pipeline().inputs()[0].settled, 30U);
  }
  for (const RecordClass record_class : kRecordClasses) {
    EXPECT_THAT(parts.Stored(record_class), ElementsAreArray(whole.Stored(record_class)));
  }
  EXPECT_THAT(parts.memory.dead_letters(), SizeIs(20));
  EXPECT_GT(whole.Alerts().size(), 2U);
}

// Each append is an fsync, and each one that is refused costs what a restart costs.
TEST(RestoreTest, ARefusedRecordAmongManyCostsFewAppends) {
  Gateway gateway(std::vector<Rule>{});
  gateway.store.largest_value = 200;
  for (int i = 0; i < 1000; ++i) {
    const std::string large(i == 300 || i == 301 || i == 700 ? 200 : 0, 'x');
    gateway.Offer(0, fmt::format(R"({{"asset_id":"a","t":{},"x":"{}"}})", i, large));
  }
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_LE(gateway.store.appends, 100);
  EXPECT_THAT(gateway.Stored(RecordClass::kHeartbeat), SizeIs(997));
  EXPECT_THAT(gateway.memory.dead_letters(), SizeIs(3));
}

TEST(RestoreTest, ManyDeadLettersDoNotDivideTheRecordsBesideThem) {
  Gateway gateway({*ParseRule("hot", "t > 50")});
  gateway.store.most_items = 30;
  for (int i = 0; i < 20; ++i) {
    gateway.Offer(0, R"({"asset_id":5)");
    gateway.Offer(1, kHot);
  }
  const int replays = gateway.store.replays;
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_EQ(gateway.store.replays, replays) << "the state is not read back";
  EXPECT_EQ(gateway.store.appends, 3) << "all, the letters, the records";
  EXPECT_THAT(gateway.Stored(RecordClass::kReading), SizeIs(20));
  EXPECT_THAT(gateway.Alerts(), SizeIs(1));
  EXPECT_THAT(gateway.memory.dead_letters(), SizeIs(20));
}

TEST(RestoreTest, ALetterThatTheStoreRefusesLosesItsPayloadAndBlocksNoInput) {
  Gateway gateway(std::vector<Rule>{});
  gateway.memory.RefuseLettersOver(100);
  for (int i = 0; i < 20; ++i) {
    gateway.Offer(0, i == 7 ? std::string(300, '{') : R"({"asset_id":5)");
    gateway.Offer(1, R"({"asset_id":"a","t":1})");
  }
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_EQ(gateway.pipeline().inputs()[0].settled, 20U);
  EXPECT_THAT(gateway.Stored(RecordClass::kReading), SizeIs(20));
  ASSERT_THAT(gateway.memory.dead_letters(), SizeIs(20));
  const DeadLetter& letter = gateway.memory.dead_letters()[7];
  EXPECT_EQ(letter.payload, "");
  EXPECT_EQ(letter.payload_bytes(), 300U);
  EXPECT_FALSE(letter.reason.empty());
}

TEST(RestoreTest, ALetterThatCanNeverBeStoredIsCountedAndBlocksNoInput) {
  Gateway gateway(std::vector<Rule>{});
  gateway.memory.RefuseLetters();
  gateway.Offer(0, R"({"asset_id":5)");
  gateway.Offer(1, R"({"asset_id":"a","t":1})");
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_EQ(gateway.pipeline().inputs()[0].settled, 1U);
  EXPECT_THAT(gateway.Stored(RecordClass::kReading), SizeIs(1));
  EXPECT_THAT(gateway.metrics.Text(), HasSubstr("tidegate_dead_letters_lost_total 1\n"));
}

TEST(RestoreTest, PartsThatFailHalfwayAreFinishedLaterAndNothingIsDoubled) {
  Gateway gateway({*ParseRule("hot", "t > 50")});
  gateway.store.wanted = true;
  gateway.store.most_items = 3;
  for (uint16_t i = 0; i < 8; ++i)
    gateway.Offer(1, fmt::format(R"({{"asset_id":"a","t":{}}})", 60 + i), i);
  // From the end: what is refused as a whole, in halves, in quarters; then one part is stored.
  const Error rejected{ErrorCode::kRejected, "more than it takes at once"};
  gateway.store.failures = {{ErrorCode::kUnavailable, "disk"}, rejected, rejected};
  EXPECT_FALSE(gateway.pipeline().Commit());
  EXPECT_EQ(gateway.pipeline().inputs()[1].settled, 0U);
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_EQ(gateway.pipeline().inputs()[1].settled, 8U);
  EXPECT_THAT(gateway.Stored(RecordClass::kReading), SizeIs(8));
  EXPECT_THAT(gateway.Alerts(), SizeIs(1));
}

TEST(RestoreTest, APartThatFailsKeepsItsAlertForTheNextCommit) {
  Gateway gateway({*ParseRule("hot", "t > 50")});
  for (int i = 0; i < 4; ++i) gateway.Offer(1, kHot);
  // From the end: refused as a whole, then the first part fails.
  gateway.store.failures = {{ErrorCode::kUnavailable, "disk"},
                            {ErrorCode::kRejected, "more than it takes at once"}};
  EXPECT_FALSE(gateway.pipeline().Commit());
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_THAT(gateway.Stored(RecordClass::kReading), SizeIs(4));
  EXPECT_THAT(gateway.Alerts(), SizeIs(1));
}

TEST(RestoreTest, AMessageThatOnlyMightBeARedeliveryIsStoredOnceAndWhole) {
  Gateway gateway({*ParseRule("hot", "t > 50")});
  gateway.Offer(1, R"([{"asset_id":"a","t":1},5])", 7);
  ASSERT_TRUE(gateway.pipeline().Commit());
  gateway.Restart();
  gateway.Resumed(1);
  gateway.Offer(1, R"([{"asset_id":"a","t":60},5,{"asset_id":"b","t":2},6])", 7);
  EXPECT_EQ(gateway.pipeline().pending_records(), 3U) << "two readings and an alert";
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_EQ(gateway.pipeline().inputs()[1].redelivered, 0U);
  EXPECT_EQ(gateway.pipeline().inputs()[1].refused, 3U) << "one before the restart";
  EXPECT_THAT(gateway.Stored(RecordClass::kReading), SizeIs(3));
  EXPECT_THAT(gateway.Alerts(), SizeIs(1));
  EXPECT_THAT(gateway.memory.dead_letters(), SizeIs(2)) << "one of each message";
}

TEST(RestoreTest, ARedeliveryLeavesNothingPending) {
  Gateway gateway({*ParseRule("hot", "t > 50")});
  constexpr std::string_view kMixed = R"([{"asset_id":"a","t":60},5])";
  gateway.Offer(1, kMixed, 7);
  ASSERT_TRUE(gateway.pipeline().Commit());
  gateway.Restart();
  gateway.Resumed(1);
  gateway.Offer(1, kMixed, 7);
  EXPECT_EQ(gateway.pipeline().pending_records(), 0U);
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_EQ(gateway.pipeline().inputs()[1].redelivered, 1U);
  EXPECT_EQ(gateway.pipeline().inputs()[1].settled, 1U);
  EXPECT_THAT(gateway.memory.dead_letters(), SizeIs(1));
}

TEST(RestoreTest, AMessageCommittedBeforeACrashIsNotStoredAgain) {
  for (const bool snapshot : {false, true}) {
    Gateway gateway(std::vector<Rule>{});
    gateway.store.wanted = snapshot;
    gateway.Offer(1, R"([{"asset_id":"a","t":1},{"asset_id":"b","t":1}])", 7);
    gateway.Offer(1, R"({"asset_id":"c","t":1})", 8);
    gateway.pipeline().Commit();
    gateway.Restart();
    gateway.clock.Advance(milliseconds(5'000));
    gateway.Resumed(1);
    gateway.Offer(1, R"([{"asset_id":"a","t":1},{"asset_id":"b","t":1}])", 7);
    gateway.Offer(1, R"({"asset_id":"c","t":1})", 8);
    gateway.Offer(1, R"({"asset_id":"c","t":1})", 9);
    gateway.pipeline().Commit();
    EXPECT_THAT(gateway.Stored(RecordClass::kReading), SizeIs(4)) << "the last one is new";
    EXPECT_EQ(gateway.pipeline().inputs()[1].redelivered, 2U);
    EXPECT_EQ(gateway.pipeline().inputs()[1].settled, 3U);
  }
}

TEST(RestoreTest, ASecondAttemptToRestoreForgetsTheFirst) {
  Gateway gateway(std::vector<Rule>{});
  gateway.Offer(1, R"({"asset_id":"a","t":1})", 7);
  ASSERT_TRUE(gateway.pipeline().Commit());
  gateway.Kill();
  // The one that would find the end of the readings, when the only batch has been visited.
  gateway.store.failing_replay = gateway.store.replays + 3;
  gateway.Start();
  gateway.Resumed(1);
  gateway.Offer(1, R"({"asset_id":"a","t":1})", 7);
  ASSERT_TRUE(gateway.pipeline().Commit());
  EXPECT_EQ(gateway.pipeline().inputs()[1].redelivered, 1U);
  EXPECT_THAT(gateway.Stored(RecordClass::kReading), SizeIs(1));
}

TEST(RestoreTest, AssetsAreForgottenOneByOneAboveTheLimit) {
  Gateway gateway({*ParseRule("hot", "t > 50")});
  gateway.Kill();
  gateway.fold.assets = 2;
  gateway.Start();
  gateway.Offer(0, kHot);
  for (int i = 0; i < 5; ++i) gateway.Offer(0, fmt::format(R"({{"asset_id":"n{}","t":1}})", i));
  gateway.Offer(0, kHot);
  gateway.pipeline().Commit();
  EXPECT_THAT(gateway.Alerts(), SizeIs(1)) << "those without a state go first";
}

}  // namespace
}  // namespace tidegate
