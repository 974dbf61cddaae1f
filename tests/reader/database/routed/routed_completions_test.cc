// Completing documents of tenants that have a server, here a file, of their own.
#include "reader/database/routed/routed_completions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reader/database/routed/routed_landing.h"
#include "tests/support/mongo_stub/mongo_stub.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kMark = "pending_device";
const Namespace kOwn{"fleet_acme", "heartbeats"};
const Namespace kCommon{"fleet_bolt", "heartbeats"};

class RoutedCompletionsTest : public testing::Test {
 protected:
  RoutedCompletionsTest() { Open("sqlite:" + own_file_); }

  void Open(const std::string& own) {
    landing_ = OpenLandings("sqlite:" + common_file_, {{"fleet_acme", own}}).value();
    store_ = landing_->NewStore(log_).value();
    completions_ = landing_->NewCompletions().value();
  }
  // A document that waits in each of the two.
  void LandBoth() {
    for (const Namespace& ns : {kOwn, kCommon}) {
      Document document = MakeDocument("1", R"({"device_id":"d"})", ns);
      document.pending = {kMark};
      ASSERT_TRUE(store_->Write({&document, 1}).ok());
      ASSERT_TRUE(completions_->EnsureIndex(ns, kMark).ok());
    }
  }
  static std::vector<std::string> Waiting(Completions& completions, const Namespace& ns) {
    const auto found = completions.Find({.ns = ns, .mark = kMark, .key = "device_id"});
    std::vector<std::string> ids;
    if (!found.ok()) return {"error"};
    for (const PendingDocument& document : *found) ids.push_back(document.id);
    return ids;
  }
  Result<size_t> Complete(const Namespace& ns) {
    const std::vector<Completion> completions{{.id = "1"}};
    return completions_->Complete(ns, kMark, "device", completions);
  }

  TemporaryFolder folder_;
  const std::string common_file_ = folder_.File("common.db");
  const std::string own_file_ = folder_.File("own.db");
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  std::unique_ptr<Landing> landing_;
  std::unique_ptr<DocumentStore> store_;
  std::unique_ptr<Completions> completions_;
};

TEST_F(RoutedCompletionsTest, WhatWaitsIsFoundWhereTheTenantsDocumentsAre) {
  LandBoth();
  EXPECT_THAT(Waiting(*completions_, kOwn), ElementsAre("1"));
  EXPECT_THAT(Waiting(*completions_, kCommon), ElementsAre("1"));
  const auto own = OpenLanding("sqlite:" + own_file_).value()->NewCompletions().value();
  const auto common = OpenLanding("sqlite:" + common_file_).value()->NewCompletions().value();
  EXPECT_THAT(Waiting(*own, kOwn), ElementsAre("1"));
  EXPECT_THAT(Waiting(*common, kCommon), ElementsAre("1"));
  // The index was made with its table, so that a document in the wrong file would have one there.
  EXPECT_THAT(Waiting(*own, kCommon), ElementsAre("error"));
  EXPECT_THAT(Waiting(*common, kOwn), ElementsAre("error"));
}

TEST_F(RoutedCompletionsTest, OneTenantsDocumentIsCompletedAndNoOthersOfThatId) {
  LandBoth();
  EXPECT_EQ(Complete(kOwn).value(), 1u);
  EXPECT_THAT(Waiting(*completions_, kOwn), IsEmpty());
  EXPECT_THAT(Waiting(*completions_, kCommon), ElementsAre("1"));
  EXPECT_EQ(Complete(kOwn).value(), 0u);
  EXPECT_EQ(Complete(kCommon).value(), 1u);
}

TEST_F(RoutedCompletionsTest, AServerThatIsAwayConcernsOnlyItsTenant) {
  LandBoth();
  auto server = mongo_stub::MongoStub::Start({}).value();
  Open(server->uri("serverSelectionTimeoutMS=100"));
  server.reset();
  EXPECT_EQ(Complete(kOwn).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(completions_->EnsureIndex(kOwn, kMark).error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(Waiting(*completions_, kOwn), ElementsAre("error"));
  EXPECT_TRUE(completions_->EnsureIndex(kCommon, kMark).ok());
  EXPECT_THAT(Waiting(*completions_, kCommon), ElementsAre("1"));
  EXPECT_EQ(Complete(kCommon).value(), 1u);
}

}  // namespace
}  // namespace tidegate::reader
