#include "agent/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_store.h"
#include "tests/support/store_proxy.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

// Remembers what was appended and returns scripted errors.
class ScriptedStore final : public StoreProxy {
 public:
  ScriptedStore() : StoreProxy(nothing_) {}

  struct Stored {
    RecordClass record_class;
    size_t records;
  };
  Result<Seq> Append(const AppendRequest& request) override {
    if (!errors.empty()) {
      const Error error = errors.front();
      errors.pop_front();
      return error;
    }
    for (const auto& batch : request.batches) {
      for (const Record& record : batch.records) {
        if (record.value.size() > largest_value)
          return Error{ErrorCode::kRejected, "a record of that size can never fit"};
      }
    }
    commits.emplace_back();
    for (const auto& batch : request.batches)
      commits.back().push_back({batch.record_class, batch.records.size()});
    for (const auto& letter : request.dead_letters) dead.push_back(letter);
    return Seq{1};
  }

  std::deque<Error> errors;
  std::vector<std::vector<Stored>> commits;
  std::vector<DeadLetter> dead;
  size_t largest_value = 1'000'000;

 private:
  MemoryStore nothing_;
};

class ScriptedDriver final : public Driver {
 public:
  Status Start(Loop&, Inbox& inbox) override {
    inbox_ = &inbox;
    return {};
  }
  void Stop() override {}
  void Settled(Ticket last) override { settled.push_back(last); }
  void Resume() override { ++resumed; }
  bool Starved() const override { return starved; }
  DriverStatus status() const override { return {}; }

  bool Offer(std::string_view payload) {
    const bool taken = inbox_->Offer(
        {.payload = payload, .tenant = {}, .asset = {}, .origin = "test", .packet_id = {}},
        next_ticket_);
    if (taken) ++next_ticket_;
    return taken;
  }
  // As a driver that does not count its tickets right.
  bool OfferWithTicket(std::string_view payload, Ticket ticket) {
    next_ticket_ = ticket;
    return Offer(payload);
  }
  void BeginSession(Ticket acknowledged) {
    inbox_->OnSession({.resumed = true, .acknowledged = acknowledged});
  }
  std::vector<Ticket> settled;
  int resumed = 0;
  bool starved = false;

 private:
  Inbox* inbox_ = nullptr;
  Ticket next_ticket_ = 1;
};

class PipelineTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.default_tenant = "acme";
    options_.commit_records = 3;
    Build();
  }
  void Build() {
    pipeline_.emplace(store_, loop_, clock_, log_, metrics_,
                      std::vector<Rule>{*ParseRule("hot", "t > 50")}, options_);
    const Input input{
        .name = "local", .tenant = "", .asset = "", .record_class = RecordClass::kHeartbeat};
    ASSERT_TRUE(driver_.Start(loop_, pipeline_->AddInput(input, &driver_)).ok());
  }
  FakeClock clock_;
  ManualLoop loop_{clock_};
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics metrics_;
  ScriptedStore store_;
  ScriptedDriver driver_;
  Pipeline::Options options_;
  std::optional<Pipeline> pipeline_;
};

constexpr std::string_view kGood = R"({"asset_id":"a","t":20})";
constexpr std::string_view kHot = R"({"asset_id":"a","t":60})";

TEST_F(PipelineTest, ACommitClosesAtTheIntervalSinceItsFirstRecord) {
  ASSERT_TRUE(driver_.Offer(kGood));
  loop_.Advance(milliseconds(150));
  ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_THAT(store_.commits, IsEmpty());
  loop_.Advance(milliseconds(50));
  ASSERT_EQ(store_.commits.size(), 1U);
  EXPECT_EQ(store_.commits[0][0].records, 2U);
  EXPECT_THAT(driver_.settled, ElementsAre(2U));
}

TEST_F(PipelineTest, ACommitClosesAtItsSizeAtTheEndOfTheTurn) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_THAT(store_.commits, IsEmpty());
  loop_.EndTurn();
  ASSERT_EQ(store_.commits.size(), 1U);
  EXPECT_EQ(store_.commits[0][0].records, 4U);
}

TEST_F(PipelineTest, AStarvedSourceIsNotKeptWaiting) {
  driver_.starved = true;
  ASSERT_TRUE(driver_.Offer(kGood));
  loop_.EndTurn();
  EXPECT_THAT(driver_.settled, ElementsAre(1U));
}

TEST_F(PipelineTest, AnAlertIsPartOfTheCommitOfTheRecordThatRaisedIt) {
  ASSERT_TRUE(driver_.Offer(kHot));
  ASSERT_TRUE(pipeline_->Commit());
  ASSERT_EQ(store_.commits.size(), 1U);
  ASSERT_EQ(store_.commits[0].size(), 2U);
  EXPECT_EQ(store_.commits[0][0].record_class, RecordClass::kAlert);
  EXPECT_EQ(store_.commits[0][1].record_class, RecordClass::kHeartbeat);
}

TEST_F(PipelineTest, APoisonPayloadIsSettledOnceItsBytesAreInTheDeadLetters) {
  ASSERT_TRUE(driver_.Offer("not json"));
  ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_THAT(driver_.settled, IsEmpty());
  ASSERT_TRUE(pipeline_->Commit());
  ASSERT_EQ(store_.dead.size(), 1U);
  EXPECT_EQ(store_.dead[0].payload, "not json");
  EXPECT_EQ(store_.dead[0].input, "local");
  EXPECT_EQ(store_.dead[0].origin, "test");
  EXPECT_THAT(driver_.settled, ElementsAre(2U));
  EXPECT_EQ(pipeline_->inputs()[0].refused, 1U);
}

TEST_F(PipelineTest, NothingIsSettledUntilTheStoreTakesItAndNothingIsLostMeanwhile) {
  store_.errors = {{ErrorCode::kUnavailable, "disk I/O error"}, {ErrorCode::kFull, "full"}};
  ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_FALSE(pipeline_->Commit());
  ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_THAT(driver_.settled, IsEmpty());
  EXPECT_TRUE(pipeline_->blocked());
  loop_.Advance(seconds(1));  // The first retry fails too, the second one passes.
  ASSERT_EQ(store_.commits.size(), 1U);
  EXPECT_EQ(store_.commits[0][0].records, 2U);
  EXPECT_THAT(driver_.settled, ElementsAre(2U));
  EXPECT_FALSE(pipeline_->blocked());
}

TEST_F(PipelineTest, RoomEndsTheWaitForAFullStoreAtOnce) {
  store_.errors = {{ErrorCode::kFull, "full"}};
  ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_FALSE(pipeline_->Commit());
  pipeline_->OnRoom();
  EXPECT_THAT(driver_.settled, ElementsAre(1U));
}

TEST_F(PipelineTest, ManyDeliveriesWhileTheStoreStaysFullAreFewAttempts) {
  store_.errors.assign(3, {ErrorCode::kFull, "full"});
  ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_FALSE(pipeline_->Commit());
  for (int i = 0; i < 10; ++i) pipeline_->OnRoom();
  EXPECT_EQ(store_.errors.size(), 1U);
  loop_.Advance(milliseconds(50));
  EXPECT_EQ(store_.errors.size(), 0U) << "the last of them is not forgotten";
  pipeline_->OnRoom();
  EXPECT_THAT(driver_.settled, ElementsAre(1U));
}

TEST_F(PipelineTest, SourcesPauseWhileTooMuchWaitsAndResumeAfterTheCommit) {
  options_.pending_bytes = 1000;
  driver_ = ScriptedDriver();
  Build();
  store_.errors = {{ErrorCode::kFull, "full"}};
  int taken = 0;
  while (driver_.Offer(kGood)) ASSERT_LT(++taken, 100);
  loop_.EndTurn();
  EXPECT_FALSE(driver_.Offer(kGood));
  EXPECT_EQ(driver_.resumed, 0);
  pipeline_->OnRoom();
  EXPECT_THAT(driver_.settled, ElementsAre(static_cast<Ticket>(taken)));
  EXPECT_EQ(driver_.resumed, 1);
  EXPECT_TRUE(driver_.Offer(kGood));
}

TEST_F(PipelineTest, ARecordThatTheStoreCanNeverHoldGoesAlone) {
  store_.largest_value = 120;
  ASSERT_TRUE(driver_.Offer(kGood));
  ASSERT_TRUE(
      driver_.Offer(R"({"asset_id":"large","t":20,"x":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})"));
  ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_TRUE(pipeline_->Commit());
  size_t stored = 0;
  for (const auto& commit : store_.commits) {
    for (const auto& batch : commit) stored += batch.records;
  }
  EXPECT_EQ(stored, 2U);
  ASSERT_EQ(store_.dead.size(), 1U);
  EXPECT_EQ(store_.dead[0].origin, "acme/large");
  EXPECT_THAT(driver_.settled, ElementsAre(3U));
}

using PipelineDeathTest = PipelineTest;

TEST_F(PipelineDeathTest, ATicketThatIsSkippedOrOfferedTwiceIsABug) {
  ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_DEATH(driver_.OfferWithTicket(kGood, 1), "one by one, in order");
  EXPECT_DEATH(driver_.OfferWithTicket(kGood, 3), "one by one, in order");
}

TEST_F(PipelineDeathTest, AnAcknowledgementOfWhatWasNeverAcceptedIsABug) {
  ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_DEATH(driver_.BeginSession(2), "only accepted messages");
}

TEST_F(PipelineDeathTest, RestoringAfterAnOfferIsABug) {
  ASSERT_TRUE(driver_.Offer(kGood));
  EXPECT_DEATH(pipeline_->Restore(), "before the first Offer");
}

TEST_F(PipelineDeathTest, AnInputNeedsADriver) {
  EXPECT_DEATH(pipeline_->AddInput({"x", "", "", RecordClass::kHeartbeat}, nullptr), "a driver");
}

}  // namespace
}  // namespace tidegate
