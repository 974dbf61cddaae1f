// What SqliteStore keeps for a fold beyond the contract of every Store: when it saves, what it does
// with damage and with the file of version 1, and what its totals rest on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "store/format/snapshot_body.h"
#include "store/format/store_totals.h"
#include "store/inspect.h"
#include "tests/support/chain_fold.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

using testing::Contains;
using testing::HasSubstr;

class StoreSnapshotTest : public testing::Test, public SqliteStoreFixture {
 protected:
  // Opens it with the fold as its source.
  SqliteStore& Begin() {
    SqliteStore& opened = Reopen();
    opened.SetSnapshotSource([this] {
      ++asked;
      return fold.Save();
    });
    return opened;
  }
  void Append(size_t records, RecordClass record_class = RecordClass::kHeartbeat) {
    const auto batch = fleet.Take(records, record_class);
    fold.Add(record_class, batch);
    ASSERT_TRUE(AppendBatch(store(), batch).ok());
  }
  void DeliverAll() {
    for (const Batch& batch : ReadAll(store())) {
      store().Delivered(batch.record_class, batch.first_seq);
    }
  }
  // On the closed store.
  void Execute(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(options.path.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  uint64_t ReplayedBatches() {
    const auto snapshot = store().LoadSnapshot().value();
    Seq after = snapshot ? snapshot->through : 0;
    uint64_t batches = 0;
    for (; auto batch = store().Replay(RecordClass::kHeartbeat, after).value(); ++batches) {
      after = batch->first_seq;
    }
    return batches;
  }

  FleetSource fleet;
  ChainFold fold;
  int asked = 0;
};

TEST_F(StoreSnapshotTest, ReplayIsBoundedByBatchesAndByRecords) {
  options.durability = Durability::kProcessSafe;
  for (const size_t records : {1, 10, 500}) {
    Begin();
    for (int i = 0; i < 400; ++i) Append(records);
    Reopen();
    EXPECT_LE(ReplayedBatches(), 256u);
    EXPECT_LE(ReplayedBatches() * records, 4096u + records);
    EXPECT_EQ(ChainFold::Restore(store()), fold);
  }
}

TEST_F(StoreSnapshotTest, SnapshotsAreSeldom) {
  Begin();
  for (int i = 0; i < 200; ++i) Append(100);
  EXPECT_LE(asked, 5);
  EXPECT_GE(asked, 4);
}

TEST_F(StoreSnapshotTest, DeliveredBatchesGoInBulkWithTheSnapshots) {
  Begin();
  uint64_t most = 0;
  for (int i = 0; i < 200; ++i) {
    Append(100);
    DeliverAll();
    EXPECT_EQ(store().Usage().batches, 0u);
    most = std::max<uint64_t>(most, Verify(options.path)->batches);
  }
  EXPECT_LE(most, 44u);
}

TEST_F(StoreSnapshotTest, AlertsAndGapsAreNotKept) {
  Begin();
  Append(2, RecordClass::kAlert);
  Append(2);
  DeliverAll();
  Append(2);
  const auto report = Verify(options.path);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->batches, 2u);
}

TEST_F(StoreSnapshotTest, WhatWasDeliveredOutOfOrderIsSentAgainAtMost) {
  Begin();
  for (int i = 0; i < 4; ++i) Append(1);
  ReadAll(store());
  for (const Seq seq : {1, 2, 4}) store().Delivered(RecordClass::kHeartbeat, seq);
  ASSERT_TRUE(store().Flush().ok());
  Reopen();
  const auto batches = ReadAll(store());
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].first_seq, 3u);
  EXPECT_EQ(batches[1].first_seq, 4u);
}

TEST_F(StoreSnapshotTest, AValueThatIsWrittenLeavesDeliveriesToTheFlush) {
  Begin();
  for (int i = 0; i < 4; ++i) Append(2);
  DeliverAll();
  ASSERT_TRUE(store().WriteValue("x", "1").ok());
  ASSERT_TRUE(store().Flush().ok());
  EXPECT_THAT(ReadAll(Reopen()), testing::IsEmpty());
}

TEST_F(StoreSnapshotTest, ADamagedSnapshotIsCountedAndTheOneBeforeIsUsed) {
  Begin();
  for (int i = 0; i < 100; ++i) Append(100);
  Close();
  Execute("UPDATE state SET body=substr(body,1,4)||x'ff'||substr(body,6) WHERE name='snapshot.0'");
  Reopen();
  const auto snapshot = store().LoadSnapshot();
  ASSERT_TRUE(snapshot.ok() && *snapshot);
  EXPECT_EQ(ChainFold::Restore(store()), fold);  // Nothing was delivered, so all is still there.
  EXPECT_THAT(log_lines, Contains(HasSubstr("snapshot: checksum does not match")));
  EXPECT_THAT(metrics->Text(), HasSubstr("tidegate_store_snapshot_errors_total 1\n"));
  Close();
  Execute("UPDATE state SET body='' WHERE name LIKE 'snapshot%'");
  Reopen();
  EXPECT_FALSE(store().LoadSnapshot()->has_value());
  EXPECT_EQ(ChainFold::Restore(store()), fold);
}

TEST_F(StoreSnapshotTest, ASnapshotThatIsTooLargeIsCountedAndHoldsNothingUp) {
  options.max_bytes = 1 << 20;
  options.full = FullPolicy::kStopReading;
  Reopen().SetSnapshotSource([] { return std::string(100'000, 'x'); });
  for (int i = 0; i < 600; ++i) {
    Append(20);
    DeliverAll();
  }
  EXPECT_THAT(log_lines, Contains(HasSubstr("of 100000 bytes is over its share of 32768")));
  EXPECT_FALSE(store().LoadSnapshot()->has_value());
  EXPECT_LE(FileBytes(), options.max_bytes);
}

TEST_F(StoreSnapshotTest, AValueThatIsTooLargeIsRejected) {
  EXPECT_EQ(Reopen().WriteValue("x", std::string(16'385, 'x')).error().code, ErrorCode::kRejected);
  EXPECT_TRUE(store().WriteValue("x", std::string(16'384, 'x')).ok());
}

TEST_F(StoreSnapshotTest, DamagedTotalsAreCountedAnew) {
  Begin();
  for (int i = 0; i < 5; ++i) Append(3);
  ReadAll(store());
  store().Delivered(RecordClass::kHeartbeat, 1);
  ASSERT_TRUE(store().Flush().ok());
  Close();
  Execute("UPDATE state SET body=x'00' WHERE name='totals'; UPDATE batch SET totals=NULL");
  EXPECT_EQ(Reopen().Usage().total_records(), 15u);
  const Seq next = *AppendBatch(store(), fleet.Take(1));
  EXPECT_GT(next, 15u);
  // Once: from here on they are sound again.
  Reopen();
  EXPECT_EQ(*AppendBatch(store(), fleet.Take(1)), next + 1);
}

// The last ones were delivered and deleted, and what was recorded about them is damaged.
TEST_F(StoreSnapshotTest, NoSeqComesBackWhenTheTotalsAreDamaged) {
  options.max_replay_batches = 4;
  Begin();
  for (int i = 0; i < 10; ++i) Append(3);
  Seq last = *AppendBatch(store(), fleet.Take(1, RecordClass::kAlert));
  DeliverAll();
  ASSERT_TRUE(store().Flush().ok());
  for (const char* also : {"", "DELETE FROM batch"}) {
    Close();
    Execute("UPDATE state SET body=x'00' WHERE name='totals'");
    Execute(also);
    Begin();
    const Seq next = *AppendBatch(store(), fleet.Take(1, RecordClass::kAlert));
    EXPECT_GT(next, last);
    last = next;
    DeliverAll();
    ASSERT_TRUE(store().Flush().ok());
  }
}

TEST_F(StoreSnapshotTest, ANewStoreBeginsAtOneAlsoWhenItIsOpenedTwice) {
  Reopen();
  Reopen();
  EXPECT_EQ(*AppendBatch(store(), fleet.Take(1)), 1u);
}

TEST_F(StoreSnapshotTest, TheFileOfVersion1IsOpenedWithItsBacklog) {
  std::filesystem::copy_file(std::string(GOLDEN_DIR) + "/store_v1.db", options.path);
  // Before an agent has migrated it, tools read it as it is.
  EXPECT_TRUE(Verify(options.path)->ok());
  Begin();
  EXPECT_EQ(store().epoch(), "b81b887a");
  EXPECT_EQ(store().Usage().total_records(), 8u);
  EXPECT_EQ(store().Usage().dead_letters, 1u);
  const auto snapshot = store().LoadSnapshot();
  ASSERT_TRUE(snapshot.ok() && *snapshot);
  EXPECT_EQ((*snapshot)->body, "");
  EXPECT_EQ((*snapshot)->through, 11u);
  FleetSource same(42, 5);
  same.Take(3);
  const auto alerts = same.Take(2, RecordClass::kAlert);
  const auto heartbeats = same.Take(4);
  const auto batches = ReadAll(store());
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].records, alerts);
  EXPECT_EQ(batches[1].records, heartbeats);
  EXPECT_EQ(batches[2].first_seq, 10u);
  ASSERT_EQ(*AppendBatch(store(), fleet.Take(2)), 12u);
  DeliverAll();
  ASSERT_TRUE(store().Flush().ok());
  Close();
  EXPECT_TRUE(Verify(options.path)->ok());
  EXPECT_EQ(Reopen().Usage().total_records(), 0u);
  EXPECT_EQ(*AppendBatch(store(), fleet.Take(1)), 14u);
}

TEST(StoreTotals, ComeBackAndShowDamage) {
  StoreTotals totals;
  totals.records = {1, 0, 1'000'000, 7};
  totals.batches = 50'003;
  totals.next_seq = 1ull << 55;
  totals.delivered = {0, 9, 999'000, 0};
  totals.letters = 3;
  totals.letter_bytes = 4'000;
  const std::string bytes = EncodeTotals(totals);
  EXPECT_EQ(*DecodeTotals(bytes), totals);
  EXPECT_LE(bytes.size(), 32u);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeTotals(bytes.substr(0, size)).ok());
  }
}

TEST(SnapshotBody, ComesBackAndShowsDamage) {
  const std::string bytes = EncodeSnapshot(std::string("a\0b", 3), 77);
  const auto snapshot = DecodeSnapshot(bytes);
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(snapshot->body, std::string("a\0b", 3));
  EXPECT_EQ(snapshot->through, 77u);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodeSnapshot(damaged).ok()) << bit;
  }
}

}  // namespace
}  // namespace tidegate
