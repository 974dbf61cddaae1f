// The contract of completions.h, on SQLite, and on MongoDB if TIDEGATE_TEST_MONGO_URL names a
// server, in databases whose names begin with tidegate_contract_.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "reader/database/landing.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kMark = "pending_device";

class CompletionsContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const char* uri = std::getenv("TIDEGATE_TEST_MONGO_URL");
    if (GetParam() == "Mongo" && !uri)
      GTEST_SKIP() << "mongo: TIDEGATE_TEST_MONGO_URL names no server";
    landing_ = OpenLanding(GetParam() == "Mongo" ? uri : "sqlite:" + folder_.File("l.db")).value();
    store_ = landing_->NewStore(log_).value();
    completions_ = landing_->NewCompletions().value();
    ns_ = {"tidegate_contract_" + std::to_string(::getpid()) + "_" +
               std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()),
           "heartbeats"};
    ASSERT_TRUE(store_->EnsureIndexes(ns_, {}).ok());
    const Status made = completions_->EnsureIndex(ns_, kMark);
    ASSERT_TRUE(made.ok()) << made.error().message;
  }

  void Land(std::string_view id, std::string_view value, bool waits,
            std::chrono::milliseconds since = 0ms) {
    Document document = MakeDocument(id, value, ns_);
    if (waits) document.pending = {kMark};
    document.provenance.received_at += since;
    const auto results = store_->Write({&document, 1});
    ASSERT_TRUE(results.ok() && results->front().outcome == WriteOutcome::kLanded);
  }

  std::vector<std::string> Waiting(std::optional<WallTime> from = {}, size_t limit = 100) {
    const auto found = completions_->Find(
        {.ns = ns_, .mark = kMark, .key = "device_id", .from = from, .limit = limit});
    EXPECT_TRUE(found.ok()) << (found.ok() ? "" : found.error().message);
    std::vector<std::string> list;
    if (found.ok())
      for (const auto& document : *found) list.push_back(document.id + ":" + document.key);
    return list;
  }

  size_t Complete(const std::string& id, const char* value) {
    Completion completion{.id = id};
    if (value)
      completion.value =
          std::make_shared<const json::Document>(json::Document::Parse(value).value());
    const auto changed = completions_->Complete(ns_, kMark, "device", {&completion, 1});
    EXPECT_TRUE(changed.ok()) << (changed.ok() ? "" : changed.error().message);
    return changed.ok() ? *changed : 99;
  }

  TemporaryFolder folder_;
  Log log_{LogLevel::kError};
  std::unique_ptr<Landing> landing_;
  std::unique_ptr<DocumentStore> store_;
  std::unique_ptr<Completions> completions_;
  Namespace ns_;
};

TEST_P(CompletionsContract, FindsWhatWaitsTheLongestFirst) {
  Land("b", R"({"device_id":"t2"})", true, 2'000ms);
  Land("a", R"({"device_id":"t1"})", true, 1'000ms);
  Land("c", R"({"device_id":7})", true, 3'000ms);
  Land("d", R"({"device_id":"t4"})", false);
  EXPECT_THAT(Waiting(), ElementsAre("a:t1", "b:t2", "c:7"));
  EXPECT_THAT(Waiting({}, 2), ElementsAre("a:t1", "b:t2"));
  const auto since = MakeDocument("x", "{}", ns_).provenance.received_at;
  EXPECT_THAT(Waiting(since + 2'000ms), ElementsAre("b:t2", "c:7"));
}

TEST_P(CompletionsContract, CompletingOnceIsEnough) {
  Land("a", R"({"device_id":"t1"})", true);
  EXPECT_EQ(Complete("a", R"({"model":"x","axles":3})"), 1u);
  EXPECT_EQ(Complete("a", R"({"model":"y"})"), 0u);
  EXPECT_THAT(Waiting(), IsEmpty());
}

TEST_P(CompletionsContract, WithoutAValueOnlyTheMarkGoes) {
  Land("a", R"({"device_id":"t1"})", true);
  EXPECT_EQ(Complete("a", nullptr), 1u);
  EXPECT_EQ(Complete("a", nullptr), 0u);
  EXPECT_THAT(Waiting(), IsEmpty());
}

TEST_P(CompletionsContract, AMemberThatIsThereIsNeverOverwritten) {
  Land("a", R"({"device_id":"t1","device":"mine"})", true);
  EXPECT_EQ(Complete("a", R"("theirs")"), 0u);
}

TEST_P(CompletionsContract, WhatIsNotThereIsLeftAlone) {
  EXPECT_EQ(Complete("a", "1"), 0u);
  EXPECT_THAT(Waiting(), IsEmpty());
}

TEST_P(CompletionsContract, MakingTheIndexAgainChangesNothing) {
  EXPECT_TRUE(completions_->EnsureIndex(ns_, kMark).ok());
}

TEST_P(CompletionsContract, ADocumentThatComesAgainIsADuplicateWithItsMember) {
  Land("a", R"({"device_id":"t1"})", true);
  Complete("a", "1");
  Document again = MakeDocument("a", R"({"device_id":"t1"})", ns_);
  again.pending = {kMark};
  const auto results = store_->Write({&again, 1});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ(results->front().outcome, WriteOutcome::kDuplicate);
  EXPECT_THAT(Waiting(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Landings, CompletionsContract, testing::Values("Sqlite", "Mongo"),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace tidegate::reader
