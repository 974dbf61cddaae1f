#include "reader/land/batch.h"

#include <gtest/gtest.h>

#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

const Partition kOne{"t", 1};
const Partition kTwo{"t", 2};

void AddGood(Batch& batch, const Partition& partition, int64_t offset) {
  batch.Add({.partition = partition,
             .offset = offset,
             .timestamp = {},
             .key = "k",
             .value = "{}",
             .headers = {}},
            MakeDocument(std::to_string(offset), "{}"));
}
void AddBad(Batch& batch, const Partition& partition, int64_t offset) {
  batch.Add({.partition = partition,
             .offset = offset,
             .timestamp = {},
             .key = {},
             .value = "bad",
             .headers = {}},
            Refusal{RefusalKind::kJson, "bad"});
}
std::vector<WriteResult> All(WriteOutcome outcome, size_t count) {
  return std::vector<WriteResult>(count, {outcome, "reason"});
}

TEST(Batch, NothingIsFinishedBeforeItHasLanded) {
  Batch batch;
  AddGood(batch, kOne, 5);
  EXPECT_TRUE(batch.Finished().empty());
  EXPECT_FALSE(batch.done());
}

TEST(Batch, TheEndOfEachPartitionIsFinishedWhenAllIsDone) {
  Batch batch;
  AddGood(batch, kOne, 5);
  AddGood(batch, kTwo, 9);
  AddGood(batch, kOne, 8);  // Offsets may have gaps.
  batch.ApplyResults(All(WriteOutcome::kLanded, 3), 3);
  EXPECT_TRUE(batch.done());
  EXPECT_EQ(batch.Finished(), (std::vector<Position>{{kOne, 9}, {kTwo, 10}}));
}

TEST(Batch, AnOpenMessageHoldsItsPartitionBackAndNoOther) {
  Batch batch;
  AddGood(batch, kOne, 1);
  AddBad(batch, kOne, 2);
  AddGood(batch, kOne, 3);
  AddGood(batch, kTwo, 1);
  batch.ApplyResults(All(WriteOutcome::kDuplicate, 3), 3);
  EXPECT_EQ(batch.Finished(), (std::vector<Position>{{kOne, 2}, {kTwo, 2}}));
}

TEST(Batch, OnlyTheRetriedDocumentsRemain) {
  Batch batch;
  for (int64_t offset = 0; offset < 3; ++offset) AddGood(batch, kOne, offset);
  std::vector<WriteResult> results = All(WriteOutcome::kLanded, 3);
  results[1] = {WriteOutcome::kRetry, "conflict"};
  const Batch::Tally tally = batch.ApplyResults(results, 2);
  EXPECT_EQ(tally.retries, 1u);
  ASSERT_EQ(batch.documents().size(), 1u);
  EXPECT_EQ(batch.documents()[0].id, "1");
  EXPECT_EQ(batch.ApplyResults(All(WriteOutcome::kRetry, 1), 2).exhausted, 1u);
  EXPECT_TRUE(batch.documents().empty());
  EXPECT_EQ(batch.letters({}).size(), 1u);
}

TEST(Batch, ALetterThatItsTopicRefusesForGoodIsFinished) {
  Batch batch;
  for (int64_t offset = 0; offset < 3; ++offset) AddBad(batch, kOne, offset);
  const std::vector<Status> statuses{Status(), Error{ErrorCode::kRejected, "too large"},
                                     Error{ErrorCode::kUnavailable, "away"}};
  const Batch::LetterTally tally = batch.ApplyLetterStatuses(statuses);
  EXPECT_EQ(tally.published, 1u);
  EXPECT_EQ(tally.lost, 1u);
  EXPECT_EQ(batch.letters({}).size(), 1u);
  EXPECT_EQ(batch.Finished(), (std::vector<Position>{{kOne, 2}}));
}

TEST(Batch, LettersAndParkedRecordsNameTheEpochOfTheirLog) {
  Batch batch;
  for (int64_t offset = 0; offset < 3; ++offset) AddGood(batch, kOne, offset);
  AddBad(batch, kTwo, 0);
  for (Document& document : batch.documents()) SetEpoch(document, 7);
  EXPECT_FALSE(batch
                   .LabelRefused([](const SourceMessage&) -> Result<int64_t> {
                     return Error{ErrorCode::kUnavailable, "away"};
                   })
                   .ok());
  ASSERT_TRUE(batch
                  .LabelRefused([](const SourceMessage& message) -> Result<int64_t> {
                    return message.partition == kTwo ? 8 : 9;
                  })
                  .ok());
  batch.ApplyResults(All(WriteOutcome::kRejected, 1), 1);
  batch.Park({batch.documents()[0].ns.database});
  ASSERT_EQ(batch.parked().size(), 2u);
  EXPECT_EQ(batch.parked()[0].epoch, 7);
  ASSERT_EQ(batch.letters({}).size(), 2u);
  EXPECT_EQ(batch.letters({})[0].epoch, 7);
  EXPECT_EQ(batch.letters({})[1].epoch, 8);
}

TEST(Batch, DroppingAPartitionKeepsTheOthersWithTheirDocuments) {
  Batch batch;
  AddGood(batch, kOne, 1);
  AddGood(batch, kTwo, 2);
  AddBad(batch, kOne, 3);
  AddGood(batch, kTwo, 4);
  const std::vector<Partition> gone{kOne};
  batch.Drop(gone);
  EXPECT_EQ(batch.size(), 2u);
  ASSERT_EQ(batch.documents().size(), 2u);
  EXPECT_EQ(batch.documents()[1].id, "4");
  EXPECT_TRUE(batch.letters({}).empty());
  batch.ApplyResults(All(WriteOutcome::kLanded, 2), 3);
  EXPECT_EQ(batch.Finished(), (std::vector<Position>{{kTwo, 5}}));
}

TEST(Batch, DroppingEverythingCostsNothingAnyMore) {
  Batch batch;
  AddGood(batch, kOne, 1);
  EXPECT_GT(batch.payload_bytes(), 0u);
  batch.Drop(std::vector<Partition>{kOne});
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.payload_bytes(), 0u);
  EXPECT_EQ(batch.json_values(), 0u);
}

TEST(Batch, CountsTheValuesOfTheDocumentsThatItHolds) {
  Batch batch;
  const auto add = [&](const Partition& partition, const std::string& json) {
    SourceMessage message;
    message.partition = partition;
    message.value = "not this";
    batch.Add(std::move(message), MakeDocument("1", json));
  };
  add(kOne, R"({"a":[1,2],"b":3})");
  add(kTwo, R"({"a":1})");
  EXPECT_EQ(batch.json_values(), 7u);
  batch.Drop(std::vector<Partition>{kOne});
  EXPECT_EQ(batch.json_values(), 2u);
  batch.ApplyResults(All(WriteOutcome::kLanded, 1), 3);
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(batch.documents().empty());
  EXPECT_EQ(batch.json_values(), 0u);
  EXPECT_EQ(batch.payload_bytes(), 0u);
}

TEST(Batch, SortedByNamespaceEachResultStillFindsItsMessage) {
  Batch batch;
  const char* databases[] = {"b", "a", "b", "a"};
  for (int64_t i = 0; i < 4; ++i) {
    SourceMessage message;
    message.partition = kOne;
    message.offset = i;
    batch.Add(std::move(message), MakeDocument(std::to_string(i), "{}", {databases[i], "c"}));
  }
  batch.SortByNamespace();
  std::string order;
  for (const Document& document : batch.documents()) order += document.id;
  EXPECT_EQ(order, "1302");
  std::vector<WriteResult> results(4, {WriteOutcome::kLanded, ""});
  results[2] = {WriteOutcome::kRejected, "message 0"};
  batch.ApplyResults(results, 3);
  const auto letters = batch.letters({});
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].message->offset, 0);
}

TEST(BatchDeathTest, AMessageThatIsNotDoneIsNeverCleared) {
  Batch batch;
  AddGood(batch, kOne, 1);
  EXPECT_DEATH(batch.Clear(), "a batch is cleared only when it is done");
}

TEST(BatchDeathTest, MoreResultsThanDocumentsStopTheProgram) {
  Batch batch;
  AddGood(batch, kOne, 1);
  EXPECT_DEATH(batch.ApplyResults(All(WriteOutcome::kLanded, 2), 3),
               "no more results than documents");
  EXPECT_DEATH(batch.ApplyResults(All(WriteOutcome::kLanded, 1), 3, 1), "no more results than");
}

TEST(BatchDeathTest, AStatusTooFewStopsTheProgram) {
  Batch batch;
  AddBad(batch, kOne, 1);
  AddBad(batch, kOne, 2);
  EXPECT_DEATH(batch.ApplyLetterStatuses(std::vector<Status>(1)), "one status for each letter");
}

}  // namespace
}  // namespace tidegate::reader
