#include "reader/project/replay/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "core/time_format.h"
#include "reader/project/replay/replay_command.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr const char* kTopic = "telematics.raw.telematics_heartbeat";
using Headers = std::vector<std::pair<std::string, std::string>>;

class FakeTopicReader final : public TopicReader {
 public:
  Result<std::optional<SourceMessage>> Next() override {
    if (!messages_.empty()) {
      SourceMessage message = std::move(messages_.front());
      messages_.pop_front();
      return std::optional(std::move(message));
    }
    if (breaks_) return Error{ErrorCode::kUnavailable, "no broker"};
    return std::optional<SourceMessage>();
  }
  void Push(SourceMessage message) { messages_.push_back(std::move(message)); }
  void Break() { breaks_ = true; }

 private:
  std::deque<SourceMessage> messages_;
  bool breaks_ = false;
};

SourceMessage Letter(const std::string& event, std::string reason = "database: schema",
                     std::string time = "2025-06-23T10:00:00.000Z", std::string tenant = "acme") {
  SourceMessage letter;
  letter.partition = {"telemetry.dlq", 0};
  letter.key = tenant + "/truck-1";
  letter.value = R"({"tenant_id":")" + tenant + R"(","asset_id":"truck-1","event_id":")" + event +
                 R"(","timestamp":"2025-06-23T00:37:01Z"})";
  letter.headers = {{"tg-id", "gw-1:e1:7"},    {"tg-gateway", "gw-1"},
                    {"tg-dlq-reason", reason}, {"tg-dlq-time", time},
                    {"tg-dlq-topic", kTopic},  {"tg-dlq-partition", "2"},
                    {"tg-dlq-offset", "77"},   {"tg-dlq-timestamp", "2025-06-23T00:37:05.000Z"}};
  return letter;
}

// What lands in the fake lies in the database that projections are made from.
class KeepingStore final : public DocumentStore {
 public:
  KeepingStore(FakeDocumentStore& store, MemoryDatabase& database)
      : store_(store), database_(database) {}
  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override {
    auto results = store_.Write(documents);
    for (const Document& document : documents) {
      if (!store_.Has(document.id)) continue;
      const Provenance& from = document.provenance;
      database_.landed.emplace(DocumentKey{document.ns, document.id},
                               Landed{from.topic, from.partition, from.offset, document.time,
                                      from.dead_letter, from.received_at});
    }
    return results;
  }
  Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override {
    return store_.EnsureIndexes(ns, indexes);
  }
  Status Ping() override { return store_.Ping(); }

 private:
  FakeDocumentStore& store_;
  MemoryDatabase& database_;
};

std::string& Header(SourceMessage& message, std::string_view name) {
  for (auto& [header, value] : message.headers) {
    if (header == name) return value;
  }
  return message.headers.emplace_back(name, "").second;
}

class ReplayTest : public testing::Test {
 protected:
  Status Run() {
    clock_.Advance(milliseconds(1'000));
    replay_.emplace(options_,
                    Replay::Parts{letters_, keeping_, options_.dry_run ? nullptr : &projections_,
                                  decoder_, clock_, log_, [this](milliseconds time) {
                                    clock_.Advance(time);
                                    if (on_wait_) on_wait_();
                                  }});
    return replay_->Run();
  }
  const ReplayReport& report() { return replay_->report(); }
  void Push(const std::string& event, int64_t offset) {
    SourceMessage letter = Letter(event);
    letter.offset = offset;
    letters_.Push(std::move(letter));
  }
  int64_t Folded() {
    const auto found = database_.projections.find({{"tidegate", "assets"}, "acme/truck-1"});
    return found == database_.projections.end() ? 0 : found->second.members.Integer("documents");
  }

  Replay::Options options_;
  FakeTopicReader letters_;
  FakeDocumentStore store_;
  MemoryDatabase database_;
  KeepingStore keeping_{store_, database_};
  MemoryProjectionStore projections_{database_};
  Decoder decoder_{{}, BuiltInTable()};
  FakeClock clock_;
  std::string logged_;
  Log log_{LogLevel::kDebug,
           [this](LogLevel, std::string_view line) { logged_ += std::string(line) + "\n"; }};
  std::function<void()> on_wait_;
  std::optional<Replay> replay_;
};

TEST(StoredLetter, IsTheMessageAsItWasWhenItWasRefused) {
  const auto letter = ReadLetter(Letter("e1"));
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->message.partition, (Partition{kTopic, 2}));
  EXPECT_EQ(letter->message.offset, 77);
  EXPECT_EQ(letter->message.headers, (Headers{{"tg-id", "gw-1:e1:7"}, {"tg-gateway", "gw-1"}}));
  EXPECT_EQ(letter->message.timestamp, ParseTime("2025-06-23T00:37:05Z"));
  EXPECT_EQ(letter->reason_kind, "database");
  EXPECT_FALSE(letter->cut);
}

TEST(StoredLetter, WithoutTheMessagesOwnTimestampItsTimeServes) {
  SourceMessage old = Letter("e1");
  old.headers.pop_back();
  EXPECT_EQ(ReadLetter(old)->message.timestamp, ParseTime("2025-06-23T10:00:00Z"));
}

TEST(StoredLetter, HeadersThatDoNotReadMakeNoLetter) {
  for (const char* name :
       {"tg-dlq-reason", "tg-dlq-time", "tg-dlq-topic", "tg-dlq-partition", "tg-dlq-offset"}) {
    SourceMessage without = Letter("e1");
    std::erase_if(without.headers, [&](const auto& header) { return header.first == name; });
    EXPECT_FALSE(ReadLetter(without)) << name;
  }
  for (const char* number : {"", "-1", "7x", "99999999999999999999"}) {
    SourceMessage odd = Letter("e1");
    Header(odd, "tg-dlq-offset") = number;
    EXPECT_FALSE(ReadLetter(odd)) << number;
  }
}

TEST_F(ReplayTest, LettersLandAsIfTheyHadJustCome) {
  letters_.Push(Letter("e1"));
  letters_.Push(Letter("e2"));
  ASSERT_TRUE(Run().ok());
  EXPECT_TRUE(store_.Has("acme/truck-1/e1"));
  EXPECT_TRUE(store_.Has("acme/truck-1/e2"));
  EXPECT_EQ(report().landed, 2u);
  EXPECT_EQ(report().chosen, 2u);
  EXPECT_EQ(store_.indexed().size(), 1u);
}

TEST_F(ReplayTest, WhatIsNamedByItsPlaceKeepsTheEpochOfItsLog) {
  SourceMessage letter = Letter("e1");
  letter.value = R"({"tenant_id":"acme","asset_id":"truck-1"})";
  std::erase_if(letter.headers, [](const auto& header) { return header.first == "tg-id"; });
  Header(letter, "tg-dlq-epoch") = "3";
  letters_.Push(letter);
  ASSERT_TRUE(Run().ok());
  EXPECT_TRUE(store_.Has(std::string("acme/") + kTopic + "/2/77@3"));
}

TEST_F(ReplayTest, AReplayMayBeRepeated) {
  letters_.Push(Letter("e1"));
  ASSERT_TRUE(Run().ok());
  letters_.Push(Letter("e1"));
  letters_.Push(Letter("e1"));  // A letter may be in the topic twice.
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().landed, 0u);
  EXPECT_EQ(report().already_there, 2u);
  EXPECT_EQ(store_.count(), 1u);
}

TEST_F(ReplayTest, OnlyLettersOfThatReasonAreChosen) {
  options_.choice.reason = "tenant";
  letters_.Push(Letter("e1", "database: schema"));
  letters_.Push(Letter("e2", "tenant: not allowed"));
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().read, 2u);
  EXPECT_EQ(report().chosen, 1u);
  EXPECT_TRUE(store_.Has("acme/truck-1/e2"));
}

TEST_F(ReplayTest, OnlyLettersOfThatTenantAreChosenEvenIfTheyDoNotDecode) {
  options_.choice.tenant = "globex";
  letters_.Push(Letter("e1", "database: schema"));
  letters_.Push(Letter("e2", "database: schema", "2025-06-23T10:00:00Z", "globex"));
  SourceMessage broken = Letter("e3", "json: cut", "2025-06-23T10:00:00Z", "globex");
  broken.value = "{";
  letters_.Push(broken);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().chosen, 2u);
  EXPECT_TRUE(store_.Has("globex/truck-1/e2"));
  EXPECT_THAT(report().refused, ElementsAre(Pair("json", 1)));
}

TEST_F(ReplayTest, TheSpanOfTimeHoldsItsBeginningAndNotItsEnd) {
  options_.choice.from = ParseTime("2025-06-23T10:00:00Z");
  options_.choice.to = ParseTime("2025-06-23T11:00:00Z");
  letters_.Push(Letter("before", "database: x", "2025-06-23T09:59:59.999Z"));
  letters_.Push(Letter("first", "database: x", "2025-06-23T10:00:00.000Z"));
  letters_.Push(Letter("end", "database: x", "2025-06-23T11:00:00.000Z"));
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().chosen, 1u);
  EXPECT_TRUE(store_.Has("acme/truck-1/first"));
}

TEST_F(ReplayTest, OnlyLettersOfThatTopicAreChosen) {
  options_.choice.topic = "telemetry.raw";
  SourceMessage other = Letter("e2");
  Header(other, "tg-dlq-topic") = "telemetry.raw";
  letters_.Push(Letter("e1"));
  letters_.Push(other);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().chosen, 1u);
}

TEST_F(ReplayTest, TheLimitCountsChosenLetters) {
  options_.choice.limit = 2;
  options_.choice.reason = "database";
  letters_.Push(Letter("e1", "json: x"));
  for (const char* event : {"e2", "e3", "e4"}) letters_.Push(Letter(event));
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().landed, 2u);
  EXPECT_FALSE(store_.Has("acme/truck-1/e4"));
}

TEST_F(ReplayTest, LettersThatAreRefusedAgainAreCountedByTheReasonNow) {
  SourceMessage broken = Letter("e1", "json: cut short");
  broken.value = "{";
  letters_.Push(broken);
  letters_.Push(Letter("e2"));
  letters_.Push(Letter("e3"));
  letters_.Push(Letter("e4"));
  store_.Reject("acme/truck-1/e2");
  store_.Conflict("acme/truck-1/e3", 100);
  store_.Conflict("acme/truck-1/e4", 1);
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(report().refused,
              ElementsAre(Pair("database", 1), Pair("json", 1), Pair("retries", 1)));
  EXPECT_EQ(report().landed, 1u);
  EXPECT_THAT(logged_, HasSubstr("offset 77: database: the schema forbids it"));
}

TEST_F(ReplayTest, ACutLetterIsToldAndNeverReplayed) {
  SourceMessage cut = Letter("e1");
  Header(cut, "tg-dlq-truncated") = "2000000";
  letters_.Push(cut);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().cut, 1u);
  EXPECT_EQ(store_.count(), 0u);
}

TEST_F(ReplayTest, MessagesThatAreNoLettersAreLeftAlone) {
  SourceMessage other;
  other.value = "hello";
  letters_.Push(other);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().foreign, 1u);
  EXPECT_EQ(report().chosen, 0u);
}

TEST_F(ReplayTest, ADryRunWritesNothing) {
  options_.dry_run = true;
  letters_.Push(Letter("e1"));
  SourceMessage broken = Letter("e2", "json: x");
  broken.value = "{";
  letters_.Push(broken);
  store_.TakeDown();
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(store_.count(), 0u);
  EXPECT_THAT(report().Text(true), HasSubstr("would be sent  1\n"));
  EXPECT_THAT(report().Text(true), HasSubstr("refused again  1  (json 1)\n"));
}

TEST_F(ReplayTest, ADatabaseThatComesBackIsWaitedFor) {
  letters_.Push(Letter("e1"));
  store_.TakeDown();
  int waits = 0;
  on_wait_ = [&] {
    if (++waits == 3) store_.Restore();
  };
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().landed, 1u);
}

TEST_F(ReplayTest, ADatabaseThatStaysAwayBreaksTheReplayOff) {
  letters_.Push(Letter("e1"));
  store_.TakeDown();
  const Status status = Run();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(report().landed, 0u);
}

TEST_F(ReplayTest, WhatWasReadLandsThoughTheTopicBreaksOff) {
  letters_.Push(Letter("e1"));
  letters_.Break();
  EXPECT_FALSE(Run().ok());
  EXPECT_EQ(report().landed, 1u);
}

TEST_F(ReplayTest, WhatItLandsIsFoldedOnce) {
  for (int i = 0; i < 7; ++i) Push("e" + std::to_string(i), i);
  Push("e3", 7);  // A letter that is there twice.
  options_.batch_records = 3;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Folded(), 7);
  for (int i = 0; i < 8; ++i) Push("e" + std::to_string(i), i);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().landed, 1u);
  EXPECT_EQ(Folded(), 8);
}

TEST_F(ReplayTest, WhatHadLandedFromItsMessageIsNotFoldedAgain) {
  std::vector<Document> landed;
  landed.push_back(MakeDocument("acme/truck-1/e1", "{}", {"tidegate", "heartbeats"}));
  ASSERT_TRUE(keeping_.Write(landed).ok());
  Push("e1", 0);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().already_there, 1u);
  EXPECT_EQ(Folded(), 0);
}

TEST_F(ReplayTest, WhatLandedWithoutAnAnswerIsFolded) {
  store_.LoseNextAnswer();
  Push("e1", 0);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().already_there, 1u);
  EXPECT_EQ(Folded(), 1);
}

TEST_F(ReplayTest, BrokenOffBeforeItHadFoldedItIsRepeated) {
  for (int i = 0; i < 4; ++i) Push("e" + std::to_string(i), i);
  projections_.Intercept([](bool) { return Status(Error{ErrorCode::kUnavailable, "away"}); });
  EXPECT_FALSE(Run().ok());
  EXPECT_EQ(report().landed, 4u);
  EXPECT_EQ(Folded(), 0);
  projections_.Intercept(nullptr);
  for (int times = 0; times < 2; ++times) {
    for (int i = 0; i < 4; ++i) Push("e" + std::to_string(i), i);
    Push("e2", 4);
    ASSERT_TRUE(Run().ok());
    EXPECT_EQ(report().already_there, 5u);
    EXPECT_EQ(Folded(), 4);
  }
}

TEST_F(ReplayTest, WhatTookSeveralAttemptsIsFoldedInItsOrder) {
  store_.Conflict("acme/truck-1/e0", 1);
  for (int i = 0; i < 3; ++i) Push("e" + std::to_string(i), i);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(report().landed, 3u);
  EXPECT_EQ(Folded(), 3);
}

TEST(ReplayCommand, ArgumentsThatMeanNothingAreNamed) {
  EXPECT_THAT(ParseChoice({.reason = "jsno"}).error().message,
              HasSubstr("--reason: 'jsno' is none of headers, "));
  EXPECT_THAT(ParseChoice({.from = "yesterday"}).error().message, HasSubstr("--from"));
  EXPECT_THAT(ParseChoice({.to = "25:00"}).error().message, HasSubstr("--to"));
  const auto choice = ParseChoice({.reason = "json", .from = "2025-06-23T00:37:01Z"});
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(choice->from, ParseTime("2025-06-23T00:37:01Z"));
  EXPECT_FALSE(choice->to);
}

}  // namespace
}  // namespace tidegate::reader
