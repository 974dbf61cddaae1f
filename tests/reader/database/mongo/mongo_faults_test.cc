// The landing in MongoDB against a server that fails in ways in which a healthy one never does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reader/database/mongo/mongo_landing.h"
#include "tests/support/mongo_stub/mongo_stub.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using enum WriteOutcome;
using mongo_stub::Answer;
using mongo_stub::MongoStub;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kHeartbeats = "fleet.heartbeats";

class MongoFaults : public testing::Test {
 protected:
  DocumentStore& store() {
    if (!store_) {
      if (!stub_) stub_ = MongoStub::Start({}).value();
      landing_ = OpenMongoLanding(stub_->uri(uri_options_), {}).value();
      store_ = landing_->NewStore(log_).value();
    }
    return *store_;
  }
  MongoStub& stub() {
    store();
    return *stub_;
  }
  void Fail(Answer answer) { stub().Script("insert", std::move(answer)); }

  Result<std::vector<WriteResult>> Write(std::vector<std::string> ids) {
    std::vector<Document> documents;
    for (const std::string& id : ids) documents.push_back(MakeDocument(id, R"({"asset_id":"a"})"));
    return store().Write(documents);
  }
  std::vector<WriteOutcome> Outcomes(std::vector<std::string> ids) {
    return OutcomesOf(Write(std::move(ids)));
  }
  static std::vector<WriteOutcome> OutcomesOf(const Result<std::vector<WriteResult>>& results) {
    EXPECT_TRUE(results.ok()) << (results.ok() ? "" : results.error().message);
    std::vector<WriteOutcome> outcomes;
    if (results.ok()) {
      for (const WriteResult& result : *results) outcomes.push_back(result.outcome);
    }
    return outcomes;
  }
  void ExpectUnavailable(std::vector<std::string> ids, const char* why) {
    const auto results = Write(std::move(ids));
    ASSERT_FALSE(results.ok());
    EXPECT_EQ(results.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(results.error().message, HasSubstr(why));
  }
  std::vector<size_t> InsertSizes() {
    std::vector<size_t> sizes;
    for (const auto& seen : stub().seen()) {
      if (seen.command == "insert") sizes.push_back(seen.documents);
    }
    return sizes;
  }

  std::string uri_options_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  std::unique_ptr<MongoStub> stub_;
  std::unique_ptr<Landing> landing_;
  std::unique_ptr<DocumentStore> store_;
};

TEST_F(MongoFaults, ErrorsInTheMiddleOfABulkAreTheirDocumentsAlone) {
  Fail({.write_errors = {{1, 121, "Document failed validation"}, {3, 112, "WriteConflict"}}});
  const auto results = Write({"a", "b", "c", "d", "e"});
  EXPECT_EQ(OutcomesOf(results), (std::vector{kLanded, kRejected, kLanded, kRetry, kLanded}));
  EXPECT_THAT((*results)[1].reason, HasSubstr("Document failed validation (code 121)"));
  EXPECT_THAT(stub().Ids(kHeartbeats), ElementsAre("a", "c", "e"));
}

TEST_F(MongoFaults, ADuplicateBesideAFailureIsStillADuplicate) {
  Outcomes({"a"});
  Fail({.write_errors = {{2, 121}}});
  EXPECT_EQ(Outcomes({"a", "b", "c"}), (std::vector{kDuplicate, kLanded, kRejected}));
}

TEST_F(MongoFaults, ADuplicateOfAnotherUniqueIndexIsARefusal) {
  Fail({.write_errors = {{0, 11000, "E11000", "vin"}}});
  EXPECT_EQ(Outcomes({"a"}), std::vector{kRejected});
}

TEST_F(MongoFaults, AnErrorOfADocumentThatWasNeverSentMakesTheWholeAnswerWorthless) {
  Fail({.foreign_error = true});
  ExpectUnavailable({"a"}, "scripted (code 121)");
}

TEST_F(MongoFaults, ASocketThatClosesBeforeTheCommandIsTakenIsAnOutageAndNothingIsThere) {
  Fail({.connection = Answer::Connection::kDropBefore});
  ExpectUnavailable({"a", "b"}, "insert");
  EXPECT_EQ(stub().taken(), 0u);
  EXPECT_EQ(Outcomes({"a", "b"}), (std::vector{kLanded, kLanded}));
}

TEST_F(MongoFaults, ASocketThatClosesBeforeTheReplyIsAnOutageAndTheRepeatFindsDuplicates) {
  Fail({.connection = Answer::Connection::kDropAfter});
  ExpectUnavailable({"a", "b"}, "insert");
  EXPECT_EQ(Outcomes({"a", "b"}), (std::vector{kDuplicate, kDuplicate}));
  EXPECT_THAT(stub().Ids(kHeartbeats), ElementsAre("a", "b"));
}

TEST_F(MongoFaults, AReplyThatComesTooLateIsAnOutage) {
  uri_options_ = "socketTimeoutMS=100";
  Fail({.delay = std::chrono::seconds(30)});
  ExpectUnavailable({"a"}, "insert");
  EXPECT_EQ(Outcomes({"a"}), std::vector{kDuplicate});
}

TEST_F(MongoFaults, AWriteConcernErrorIsAnOutageAndTheRepeatFindsDuplicates) {
  Fail({.concern_code = 64});
  ExpectUnavailable({"a"}, "not as durable as asked");
  EXPECT_EQ(Outcomes({"a"}), std::vector{kDuplicate});
}

TEST_F(MongoFaults, AWriteConcernErrorBesideWriteErrorsIsStillAnOutage) {
  Fail({.write_errors = {{0, 121}}, .concern_code = 64});
  ExpectUnavailable({"a", "b"}, "not as durable as asked");
}

TEST_F(MongoFaults, ServersThatAreNoPrimaryOrStopOrLackRightsAreOutages) {
  for (int32_t code : {10107, 13435, 11602, 189, 91, 13, 18, 14031}) {
    Fail({.code = code});
    ExpectUnavailable({"a"}, std::to_string(code).c_str());
  }
  EXPECT_EQ(Outcomes({"a"}), std::vector{kLanded});
}

TEST_F(MongoFaults, AServersFaultAmongTheWriteErrorsSpeaksForTheWholeCommand) {
  Fail({.write_errors = {{0, 121}, {1, 14031, "out of disk space"}}});
  ExpectUnavailable({"a", "b", "c"}, "out of disk space");
}

TEST_F(MongoFaults, OneDocumentThatTakesAWholeCommandDownGoesAloneAndTheOthersLand) {
  // Refused: all five, then the half of three (c d e), then c alone.
  Fail({.code = 22});
  Fail({});
  Fail({.code = 22});
  Fail({.code = 22});
  EXPECT_EQ(Outcomes({"a", "b", "c", "d", "e"}),
            (std::vector{kLanded, kLanded, kRejected, kLanded, kLanded}));
  EXPECT_THAT(InsertSizes(), ElementsAre(5, 2, 3, 1, 2));
}

TEST_F(MongoFaults, ACommandThatIsItselfRefusedGivesNoDocumentUp) {
  for (int32_t code : {2, 9, 59, 73}) {
    Fail({.code = code});
    ExpectUnavailable({"a", "b"}, std::to_string(code).c_str());
  }
}

TEST_F(MongoFaults, ACommandHoldsWhatTheServerTakesInOne) {
  stub_ = MongoStub::Start({.max_write_batch = 3}).value();
  Outcomes({"a", "b", "c", "d", "e", "f", "g"});
  EXPECT_THAT(InsertSizes(), ElementsAre(3, 3, 1));
}

TEST_F(MongoFaults, ACommandIsBoundedInBytes) {
  std::vector<Document> documents;
  const std::string text(250'000, 'x');
  for (int i = 0; i < 70; ++i) {
    documents.push_back(MakeDocument(std::to_string(i), R"({"asset_id":"a","v":")" + text + "\"}"));
  }
  EXPECT_EQ(OutcomesOf(store().Write(documents)), std::vector(70, kLanded));
  EXPECT_THAT(InsertSizes(), ElementsAre(33, 33, 4));  // Of 8 MiB at most.
  for (const auto& seen : stub().seen()) EXPECT_LT(seen.message_bytes, 9u << 20);
}

TEST_F(MongoFaults, ADocumentThatTheServerDoesNotTakeIsNeverSent) {
  stub_ = MongoStub::Start({.max_document_bytes = 2'000}).value();
  std::vector<Document> documents;
  documents.push_back(MakeDocument("a", R"({"asset_id":"a"})"));
  documents.push_back(
      MakeDocument("b", R"({"asset_id":"a","v":")" + std::string(3'000, 'x') + "\"}"));
  documents.push_back(MakeDocument("c", R"({"asset_id":"a"})"));
  EXPECT_EQ(OutcomesOf(store().Write(documents)), (std::vector{kLanded, kRejected, kLanded}));
  EXPECT_THAT(InsertSizes(), ElementsAre(2));
}

TEST_F(MongoFaults, TextThatIsNoUtf8IsNeverSent) {
  std::vector<Document> documents;
  documents.push_back(MakeDocument("a", R"({"asset_id":"a"})"));
  documents.push_back(MakeDocument("b", R"({"asset_id":"a"})"));
  documents[0].provenance.gateway = "gw-\xff\xfe";
  EXPECT_EQ(OutcomesOf(store().Write(documents)), (std::vector{kRejected, kLanded}));
}

TEST_F(MongoFaults, EachNamespaceHasItsOwnCommandHoweverMixedTheyCome) {
  std::vector<Document> documents;
  for (int i = 0; i < 6; ++i) {
    documents.push_back(MakeDocument(std::to_string(i), R"({"asset_id":"a"})",
                                     {"fleet", i % 2 == 0 ? "heartbeats" : "alerts"}));
  }
  EXPECT_EQ(OutcomesOf(store().Write(documents)), std::vector(6, kLanded));
  EXPECT_THAT(InsertSizes(), ElementsAre(3, 3));
}

TEST_F(MongoFaults, WritesAreUnorderedAndAskForTheMajority) {
  Outcomes({"a"});
  const std::string body = stub().seen().back().body;
  EXPECT_THAT(body, HasSubstr(R"("ordered" : false)"));
  EXPECT_THAT(body, HasSubstr(R"("w" : "majority", "wtimeout" : 30000)"));
}

TEST_F(MongoFaults, AWeakerWriteConcernAndAnotherPreferenceOfTheUriReachNoLanding) {
  uri_options_ = "w=1&journal=true&readPreference=secondary";
  EXPECT_EQ(Outcomes({"a"}), std::vector{kLanded});
  const std::string written = stub().seen().back().body;
  EXPECT_THAT(written, HasSubstr(R"("w" : "majority")"));
  EXPECT_THAT(written, HasSubstr(R"("j" : true)"));
  const auto projections = landing_->NewProjections().value();
  const std::vector<DocumentKey> keys{{{"fleet", "assets"}, "acme/t"}};
  ASSERT_TRUE(projections->Load(keys).ok());
  EXPECT_EQ(stub().seen().back().command, "find");
  EXPECT_THAT(stub().seen().back().body, Not(HasSubstr("secondary")));
  ASSERT_TRUE(projections->Save(std::vector{Projection{.key = keys[0]}}).ok());
  EXPECT_THAT(stub().seen().back().body, HasSubstr(R"("w" : "majority")"));
}

TEST_F(MongoFaults, AnIndexThatIsThereOtherwiseOrNotAllowedIsLeftAlone) {
  for (int32_t code : {13, 85, 86, 238}) {
    stub().Script("createIndexes", {.code = code});
    EXPECT_TRUE(store().EnsureIndexes({"fleet", "heartbeats"}, {{{"time", {{"t", 1}}}}}).ok());
  }
  stub().Script("createIndexes", {.code = 10107});
  EXPECT_FALSE(store().EnsureIndexes({"fleet", "heartbeats"}, {{{"time", {{"t", 1}}}}}).ok());
}

TEST_F(MongoFaults, ARetiredIndexGoesWhereItIsThere) {
  const Namespace ns{"fleet", "heartbeats"};
  const Index old{"time", {{"timestamp", -1}}};
  const Index retired{.name = "time", .retired = true};
  const Index made{"timestamp_-1__id_-1", {{"timestamp", -1}, {"_id", -1}}};
  ASSERT_TRUE(store().EnsureIndexes(ns, {{old}}).ok());
  for (int time = 0; time < 2; ++time) {
    ASSERT_TRUE(store().EnsureIndexes(ns, {{retired, made}}).ok());
    EXPECT_THAT(stub().Indexes(kHeartbeats), ElementsAre(HasSubstr(made.name)));
  }
  ASSERT_TRUE(store().EnsureIndexes(ns, {{old}}).ok());
  for (int32_t code : {13, 26, 27}) {
    stub().Script("dropIndexes", {.code = code});
    EXPECT_TRUE(store().EnsureIndexes(ns, {{retired}}).ok());
  }
  stub().Script("dropIndexes", {.code = 10107});
  EXPECT_FALSE(store().EnsureIndexes(ns, {{retired}}).ok());
}

TEST_F(MongoFaults, ADocumentThatExpiresTellsTheTimeAsADateForTheIndexThatRemovesIt) {
  std::vector<Document> documents;
  documents.push_back(MakeDocument("a", R"({"asset_id":"a"})"));
  documents[0].provenance.expires_at = WallTime(std::chrono::milliseconds(1'750'639'021'000));
  ASSERT_TRUE(store().Write(documents).ok());
  EXPECT_THAT(stub().Document(kHeartbeats, "a"),
              HasSubstr(R"("expires_at" : { "$date" : "2025-06-23T00:37:01Z" })"));
  ASSERT_TRUE(store().EnsureIndexes({"fleet", "heartbeats"}, {{ExpiryIndex()}}).ok());
  EXPECT_THAT(stub().Indexes(kHeartbeats),
              ElementsAre(AllOf(HasSubstr(R"("tidegate.expires_at" : 1)"),
                                HasSubstr(R"("expireAfterSeconds" : 0)"))));
}

}  // namespace
}  // namespace tidegate::reader
