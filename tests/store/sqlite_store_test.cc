// What SqliteStore promises beyond the contract of every Store: files, schema, damage, dead
// letters, metrics.
#include "store/sqlite_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "store/format/store_totals.h"
#include "store/inspect.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

using testing::Contains;
using testing::HasSubstr;

class SqliteStoreTest : public testing::Test, public SqliteStoreFixture {
 protected:
  // Runs SQL on the closed store.
  void Execute(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(options.path.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  std::string FileContents() const {
    std::ifstream file(options.path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  Status AppendLetter(const std::string& payload) {
    const DeadLetter letter{"in", "topic", "not JSON", payload, WallTime{}};
    AppendRequest request;
    request.dead_letters = {&letter, 1};
    return Status(store().Append(request));
  }

  FleetSource fleet;
};

using SqliteStoreDeathTest = SqliteStoreTest;

TEST_F(SqliteStoreDeathTest, ABatchWithoutRecordsAborts) {
  Reopen();
  AppendRequest request;
  request.batches.push_back({RecordClass::kHeartbeat, {}});
  EXPECT_DEATH((void)store().Append(request), "a batch has records");
}

TEST_F(SqliteStoreDeathTest, ABatchOfTwoClassesAborts) {
  Reopen();
  const std::vector<Record> records = {MakeRecord("{}"), MakeRecord("{}", RecordClass::kReading)};
  EXPECT_DEATH((void)AppendBatch(store(), records), "the records of a batch are of its class");
}

TEST_F(SqliteStoreTest, TwoStoresHaveTwoEpochs) {
  const std::string first = Reopen().epoch();
  SqliteStoreFixture other;
  EXPECT_NE(other.Reopen().epoch(), first);
}

TEST_F(SqliteStoreTest, ASecondAgentIsKeptAway) {
  Reopen();
  const auto second = SqliteStore::Open(options, clock, log, *metrics);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kRejected);
  EXPECT_THAT(second.error().message, HasSubstr("another agent"));
}

TEST_F(SqliteStoreTest, ALaterSchemaIsRefusedAndLeftAlone) {
  Reopen();
  Close();
  Execute("UPDATE state SET body='4' WHERE name='least_version'; PRAGMA user_version=4");
  const std::string before = FileContents();
  const auto opened = TryOpen();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(opened.error().message, HasSubstr("a later Tidegate wrote it (format 4"));
  EXPECT_EQ(FileContents(), before);
}

TEST_F(SqliteStoreTest, ALaterSchemaThatThisVersionMayUseIsOpened) {
  ASSERT_TRUE(AppendBatch(Reopen(), fleet.Take(3)).ok());
  Close();
  Execute("CREATE TABLE later(x); PRAGMA user_version=4");
  EXPECT_EQ(ReadAll(Reopen()).size(), 1u);
}

TEST_F(SqliteStoreTest, TooSmallALimitIsInvalid) {
  options.max_bytes = 1000;
  EXPECT_EQ(TryOpen().error().code, ErrorCode::kInvalid);
}

TEST_F(SqliteStoreTest, AFolderThatIsNotThereIsUnavailable) {
  options.path = dir.File("nowhere/queue.db");
  EXPECT_EQ(TryOpen().error().code, ErrorCode::kUnavailable);
}

TEST_F(SqliteStoreTest, ADamagedBatchGoesToTheDeadLettersAndTheOthersComeOut) {
  Reopen();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(AppendBatch(store(), fleet.Take(4)).ok());
  Close();
  Execute("UPDATE batch SET body=substr(body,1,40)||x'00'||substr(body,42) WHERE key=(2<<56)|5");
  const auto batches = ReadAll(Reopen());
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].first_seq, 1u);
  EXPECT_EQ(batches[1].record_class, RecordClass::kGap) << "the loss is told at once";
  EXPECT_EQ(batches[2].first_seq, 9u);
  const auto again = ReadAll(store());
  ASSERT_EQ(again.size(), 3u);
  EXPECT_THAT(again[0].records[0].value,
              HasSubstr(R"("first_seq":5,"last_seq":8,"count":4,"reason":"damaged")"));
  EXPECT_EQ(again[0].records[0].tenant, "unknown");
  EXPECT_EQ(store().Usage().dead_letters, 1u);
  EXPECT_THAT(log_lines, Contains(HasSubstr("heartbeat batch 5 with 4 records is damaged")));
}

TEST_F(SqliteStoreTest, ABodyInAnotherRowIsDamage) {
  Reopen();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(AppendBatch(store(), fleet.Take(1)).ok());
  Close();
  Execute("UPDATE batch SET body=(SELECT body FROM batch WHERE key=(2<<56)|1)");
  const auto batches = ReadAll(Reopen());
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].first_seq, 1u);
  EXPECT_EQ(batches[1].record_class, RecordClass::kGap);
}

TEST_F(SqliteStoreTest, NumbersThatContradictEachOtherAreDamageAndEndNoProcess) {
  for (const char* damage :
       {"UPDATE batch SET count=-1", "UPDATE batch SET count=0 WHERE key=(2<<56)|5",
        "UPDATE batch SET count=9223372036854775807", "UPDATE batch SET count=3, totals=NULL",
        "UPDATE batch SET key=key+(1<<55) WHERE key=(2<<56)|9",
        "UPDATE batch SET totals=(SELECT totals FROM batch WHERE key=(2<<56)|1)",
        "UPDATE batch SET totals=NULL; DELETE FROM state WHERE name='totals'"}) {
    SCOPED_TRACE(damage);
    options.path = dir.File(std::string("contradiction-") + std::to_string(log_lines.size()));
    Reopen();
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(AppendBatch(store(), fleet.Take(4)).ok());
    ReadAll(store());
    store().Delivered(RecordClass::kHeartbeat, 1);
    ASSERT_TRUE(store().Flush().ok());
    Close();
    Execute(damage);
    Reopen();
    for (int round = 0; round < 8; ++round) {
      const auto batch = store().Next({});
      if (batch.ok() && *batch) store().Delivered((*batch)->record_class, (*batch)->first_seq);
      const auto appended = AppendBatch(store(), fleet.Take(4));
      EXPECT_TRUE(appended.ok() || appended.error().code == ErrorCode::kUnavailable);
      EXPECT_LT(store().Usage().total_records(), 10'000'000u);
    }
    EXPECT_TRUE(AppendBatch(store(), fleet.Take(4)).ok());
    log_lines.push_back(damage);
  }
}

TEST_F(SqliteStoreTest, TotalsBelowWhatIsStoredAreCountedAnew) {
  Reopen();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(AppendBatch(store(), fleet.Take(4)).ok());
  Close();
  StoreTotals totals;
  totals.records[static_cast<size_t>(RecordClass::kHeartbeat)] = 3;
  totals.batches = 1;
  totals.next_seq = 17;
  std::string hex;
  for (const char byte : EncodeTotals(totals)) {
    hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  }
  Execute("INSERT OR REPLACE INTO state(name, body) VALUES('totals', x'" + hex + "')");
  Reopen();
  // The contradiction shows when the first batch is handed out; the next call finds a new store.
  Status status;
  for (int i = 0; i < 3 && status.ok(); ++i) {
    const auto batch = store().Next({{0, 0, static_cast<Seq>(i) * 4, 0}});
    if (!batch.ok()) status = batch.error();
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
  ASSERT_TRUE(store().ReadValue("any").ok());
  FinishSalvage(store());
  uint64_t records = 0;
  for (const Batch& batch : ReadAll(store())) {
    if (batch.record_class == RecordClass::kHeartbeat) records += batch.records.size();
  }
  EXPECT_EQ(records, 16u);
  EXPECT_THAT(log_lines, Contains(HasSubstr("16 records in 4 batches")));
}

TEST_F(SqliteStoreTest, DeliveredWaitsForTheNextAppend) {
  Reopen();
  ASSERT_TRUE(AppendBatch(store(), fleet.Take(1)).ok());
  ReadAll(store());
  store().Delivered(RecordClass::kHeartbeat, 1);
  Close();
  EXPECT_EQ(ReadAll(Reopen()).size(), 1u);  // Only the delivery repeats.
  store().Delivered(RecordClass::kHeartbeat, 1);
  ASSERT_EQ(*AppendBatch(store(), fleet.Take(1)), 2u);
  Close();
  const auto batches = ReadAll(Reopen());
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].first_seq, 2u);
}

TEST_F(SqliteStoreTest, ManyDeliveriesAreWrittenWithoutWaitingForAFlush) {
  options.max_bytes = 1 << 20;
  Reopen();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(AppendBatch(store(), fleet.Take(1)).ok());
  for (const Batch& batch : ReadAll(store()))
    store().Delivered(batch.record_class, batch.first_seq);
  Close();
  EXPECT_LT(ReadAll(Reopen()).size(), 100u);
}

TEST_F(SqliteStoreTest, AnUnsyncedRunSkipsTheSeqsThatItMayHaveLost) {
  options.durability = Durability::kProcessSafe;
  ASSERT_EQ(*AppendBatch(Reopen(), fleet.Take(1)), 1u);
  options.durability = Durability::kPowerSafe;
  const Seq after = *AppendBatch(Reopen(), fleet.Take(1));
  EXPECT_GT(after, 1'000'000u);
  EXPECT_EQ(*AppendBatch(Reopen(), fleet.Take(1)), after + 1);
  EXPECT_EQ(ReadAll(store()).size(), 3u);
}

TEST_F(SqliteStoreTest, TheOldestDeadLettersMakeRoom) {
  options.max_dead_letter_bytes = 10'000;
  Reopen();
  for (int i = 0; i < 30; ++i)
    ASSERT_TRUE(AppendLetter(fmt::format("{:02}", i) + std::string(998, 'x')).ok());
  EXPECT_EQ(store().Usage().dead_letters, 9u);
  EXPECT_THAT(metrics->Text(), HasSubstr("tidegate_store_dead_letters_dropped_total 21\n"));
  Reopen();
  EXPECT_EQ(store().Usage().dead_letters, 9u);
  ASSERT_TRUE(AppendLetter("last").ok());
  std::vector<std::string> payloads;
  ASSERT_TRUE(ForEachDeadLetter(options.path, std::nullopt, [&](int64_t, const DeadLetter& letter) {
                payloads.push_back(letter.payload);
                return true;
              }).ok());
  EXPECT_EQ(payloads.front(), "21" + std::string(998, 'x'));
  EXPECT_EQ(payloads.back(), "last");
}

TEST_F(SqliteStoreTest, MetricsTellWhatIsStored) {
  Reopen();
  ASSERT_TRUE(AppendBatch(store(), fleet.Take(7)).ok());
  const std::string text = metrics->Text();
  EXPECT_THAT(text, HasSubstr("tidegate_store_records{class=\"heartbeat\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("tidegate_store_batches 1\n"));
  EXPECT_THAT(text, HasSubstr("tidegate_store_commit_seconds_count 1\n"));
  EXPECT_THAT(text, HasSubstr("tidegate_store_max_bytes 268435456\n"));
}

TEST_F(SqliteStoreTest, AHundredThousandRecordsOpenAtOnceAndTakeNoMemory) {
  options.durability = Durability::kProcessSafe;
  Reopen();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(AppendBatch(store(), fleet.Take(100)).ok());
  Close();
  const auto start = std::chrono::steady_clock::now();
  Reopen();
  const std::chrono::duration<double, std::milli> open = std::chrono::steady_clock::now() - start;
  sqlite3_int64 used = sqlite3_memory_used();
  printf("100,000 records: open in %.1f ms, %lld KiB of SQLite's memory\n", open.count(),
         static_cast<long long>(used / 1024));
  EXPECT_EQ(store().Usage().total_records(), 100'000u);
  EXPECT_LT(open.count(), 2'000);
  EXPECT_LT(used, 1 << 20);
}

}  // namespace
}  // namespace tidegate
