// What the worst message of one source costs the others: some bytes and some time, both bounded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <array>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "agent/pipeline/pipeline.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_store.h"
#include "tests/support/store_fixture.h"
#include "tests/support/store_proxy.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::SizeIs;

// A clock on which each message takes time, or ends the process.
class CostlyClock final : public Clock {
 public:
  explicit CostlyClock(FakeClock& fake) : fake_(fake) {}
  WallTime Now() const override { return fake_.Now(); }
  BootTime SinceBoot() const override { return fake_.SinceBoot(); }
  const std::string& BootId() const override { return fake_.BootId(); }
  bool Synced() const override {
    if (deadly) throw std::bad_alloc();
    fake_.Advance(cost);
    return fake_.Synced();
  }
  milliseconds cost{0};
  bool deadly = false;

 private:
  FakeClock& fake_;
};

// A store in which a record with this text ends the process.
class DeadlyStore final : public StoreProxy {
 public:
  using StoreProxy::StoreProxy;
  Result<Seq> Append(const AppendRequest& request) override {
    for (const auto& batch : request.batches) {
      for (const Record& record : batch.records) {
        if (record.value.find("heavy") != std::string::npos) throw std::bad_alloc();
      }
    }
    return StoreProxy::Append(request);
  }
};

// Counts how often it is resumed.
class ResumedDriver final : public Driver {
 public:
  Status Start(Loop&, Inbox&) override { return {}; }
  void Stop() override {}
  void Settled(Ticket last) override { settled = last; }
  void Resume() override { ++resumed; }
  bool Starved() const override { return false; }
  DriverStatus status() const override { return {}; }
  Ticket settled = 0;
  int resumed = 0;
};

class NeighboursTest : public testing::Test {
 protected:
  NeighboursTest() { Start(); }

  void Start() {
    Pipeline::Options options;
    options.default_tenant = "acme";
    options.crash_mark_path = mark_;
    options.pending_bytes = pending_bytes_;
    pipeline_.emplace(deadly_store_, loop_, clock_, log_, metrics_,
                      std::vector<Rule>{*ParseRule("hot", "t > 50")}, options);
    pipeline_->Restore();
    for (size_t i = 0; i < drivers_.size(); ++i) {
      drivers_[i] = {};
      inboxes_[i] = &pipeline_->AddInput({.name = i == 0 ? "bad" : "good",
                                          .tenant = {},
                                          .asset = {},
                                          .record_class = RecordClass::kHeartbeat},
                                         &drivers_[i]);
    }
  }
  void Restart() {
    pipeline_.reset();
    store_.Restart();
    Start();
  }
  bool Offer(size_t input, const Message& message) {
    const bool accepted = inboxes_[input]->Offer(message, accepted_[input] + 1);
    if (accepted) ++accepted_[input];
    return accepted;
  }
  bool Offer(size_t input, std::string_view payload) {
    return Offer(
        input,
        Message{.payload = payload, .tenant = {}, .asset = {}, .origin = "topic", .packet_id = {}});
  }
  // Offers the messages from `settled` on until all are settled or the process ends, and starts the
  // next one then.
  void Live(const std::vector<std::string>& messages, size_t& settled) {
    const size_t before = settled;
    try {
      while (settled < messages.size()) {
        while (before + accepted_[0] < messages.size() &&
               Offer(0, messages[before + accepted_[0]])) {
        }
        pipeline_->Commit();
        settled = before + drivers_[0].settled;
      }
    } catch (const std::bad_alloc&) {
      accepted_ = {};
      Restart();
    }
  }
  // The process ends while the message is decoded, and the next one starts.
  void DieOf(std::string_view payload) {
    clock_.deadly = true;
    EXPECT_THROW(Offer(0, payload), std::bad_alloc);
    clock_.deadly = false;
    accepted_ = {};
    Restart();
  }

  TempDir folder_;
  const std::string mark_ = folder_.File("decoding");
  size_t pending_bytes_ = 4 << 20;
  FakeClock fake_;
  CostlyClock clock_{fake_};
  ManualLoop loop_{fake_};
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics metrics_;
  MemoryStore store_;
  DeadlyStore deadly_store_{store_};
  std::array<ResumedDriver, 2> drivers_;
  std::array<Inbox*, 2> inboxes_{};
  std::array<Ticket, 2> accepted_{};
  std::optional<Pipeline> pipeline_;
};

constexpr std::string_view kGood = R"({"asset_id":"a","t":20})";

std::string ArrayOf(size_t elements) {
  std::string array = "[{}";
  for (size_t i = 1; i < elements; ++i) array += ",{}";
  return array + "]";
}

TEST_F(NeighboursTest, ALongTenantOfATopicIsKeptOnceAndCut) {
  const std::string tenant(60'000, 't');
  const std::string topic = "fleet/" + tenant + "/truck-7";
  const std::string payload = ArrayOf(2'000);
  ASSERT_TRUE(Offer(0, Message{.payload = payload,
                               .tenant = tenant,
                               .asset = "truck-7",
                               .origin = topic,
                               .packet_id = {}}));
  EXPECT_LT(pipeline_->pending_bytes(), 10'000U);
  ASSERT_TRUE(pipeline_->Commit());
  ASSERT_THAT(store_.dead_letters(), SizeIs(1));
  EXPECT_THAT(store_.dead_letters()[0].origin, SizeIs(256));
  EXPECT_THAT(store_.dead_letters()[0].reason, HasSubstr("is not 1 to 64 of"));
  EXPECT_THAT(store_.dead_letters()[0].reason, SizeIs(testing::Lt(200)));
  EXPECT_EQ(store_.dead_letters()[0].payload, ArrayOf(2'000));
}

TEST_F(NeighboursTest, ManyRefusedElementsAreOneDeadLetter) {
  ASSERT_TRUE(Offer(0, ArrayOf(5'000)));
  EXPECT_LT(pipeline_->pending_bytes(), 2 * ArrayOf(5'000).size() + 1'000);
  ASSERT_TRUE(pipeline_->Commit());
  ASSERT_THAT(store_.dead_letters(), SizeIs(1));
  EXPECT_EQ(store_.dead_letters()[0].payload, ArrayOf(5'000));
  EXPECT_THAT(store_.dead_letters()[0].reason, HasSubstr("and 4999 more elements"));
  EXPECT_EQ(pipeline_->inputs()[0].refused, 5'000U);
}

TEST_F(NeighboursTest, AMessageThatRaisesThousandsOfAlertsIsBufferedInParts) {
  pending_bytes_ = 50'000;
  Restart();
  std::string flapping = R"([{"asset_id":"a","t":99})";
  for (int i = 1; i < 2'000; ++i)
    flapping += fmt::format(R"(,{{"asset_id":"a","t":{}}})", i % 2 == 0 ? 99 : 1);
  ASSERT_TRUE(Offer(0, flapping + "]"));
  EXPECT_LT(pipeline_->pending_bytes(), 2 * pending_bytes_ + 2'000);
  EXPECT_EQ(drivers_[0].settled, 0U) << "before all of it is stored";
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_EQ(drivers_[0].settled, 1U);
  EXPECT_EQ(store_.Usage().total_records(), 4'000U) << "each record and its alert";
}

TEST_F(NeighboursTest, OneInputsBurstLeavesTheTurnToTheOthers) {
  clock_.cost = milliseconds(10);
  int taken = 0;
  while (Offer(0, kGood)) ASSERT_LT(++taken, 100);
  EXPECT_EQ(taken, 5) << "of 10 ms each, in a turn's 50 ms";
  EXPECT_TRUE(Offer(1, kGood)) << "the other input has its own time";
  EXPECT_EQ(drivers_[0].resumed, 0);
  loop_.EndTurn();
  EXPECT_EQ(drivers_[0].resumed, 1);
  EXPECT_EQ(drivers_[1].resumed, 0);
  EXPECT_TRUE(Offer(0, kGood));
  EXPECT_EQ(pipeline_->inputs()[0].received, 6U);
}

TEST_F(NeighboursTest, AMessageThatEndedTheProcessTwiceIsADeadLetterInsteadOfAThirdTry) {
  const std::string bomb = R"({"asset_id":"bomb"})";
  DieOf(bomb);
  EXPECT_TRUE(Offer(1, kGood)) << "others go on";
  DieOf(bomb);
  clock_.deadly = true;
  ASSERT_TRUE(Offer(0, bomb)) << "it is not decoded";
  clock_.deadly = false;
  ASSERT_TRUE(Offer(1, kGood));
  ASSERT_TRUE(pipeline_->Commit());
  ASSERT_THAT(store_.dead_letters(), SizeIs(1));
  EXPECT_EQ(store_.dead_letters()[0].payload, bomb);
  EXPECT_THAT(store_.dead_letters()[0].reason, HasSubstr("ended twice"));
  EXPECT_EQ(drivers_[0].settled, 1U);
  ASSERT_TRUE(Offer(0, bomb));
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_THAT(store_.dead_letters(), SizeIs(1)) << "once it is set aside it is a message like any";
}

TEST_F(NeighboursTest, AMessageThatEndsEachCommitIsFoundAmongTheOthersAndSetAside) {
  const std::vector<std::string> messages{std::string(kGood), R"({"asset_id":"heavy"})",
                                          std::string(kGood)};
  size_t settled = 0;
  uint32_t lives = 0;
  for (; settled < messages.size() && lives < 20; ++lives) Live(messages, settled);
  EXPECT_EQ(lives, CrashMark::kCommitDeaths + CrashMark::kMessageDeaths + 1);
  EXPECT_EQ(store_.Usage().total_records(), 2U);
  ASSERT_THAT(store_.dead_letters(), SizeIs(1));
  EXPECT_EQ(store_.dead_letters()[0].payload, messages[1]);
}

TEST_F(NeighboursTest, AfterManyEndsDuringCommitsEachMessageIsCommittedAlone) {
  pipeline_.reset();
  for (uint32_t i = 0; i < CrashMark::kCommitDeaths; ++i) {
    CrashMark mark(mark_, fake_.BootId(), log_);
    EXPECT_TRUE(mark.BeginDecoding(i));
    mark.EndDecoding();
    mark.BeginCommit();
  }
  Start();
  ASSERT_TRUE(Offer(0, kGood));
  EXPECT_FALSE(Offer(1, kGood));
  loop_.EndTurn();
  EXPECT_EQ(drivers_[0].settled, 1U);
  EXPECT_EQ(drivers_[1].resumed, 1);
  EXPECT_TRUE(Offer(1, kGood));
}

}  // namespace
}  // namespace tidegate
