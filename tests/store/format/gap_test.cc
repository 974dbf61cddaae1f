#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/format/gap_record.h"
#include "store/transaction/batch_set.h"
#include "store/transaction/gap_ledger.h"

namespace tidegate {
namespace {

Gap Loss(Seq first, Seq last, const std::string& tenant = "acme",
         RecordClass record_class = RecordClass::kReading) {
  return {tenant, record_class, kGapStoreFull, first, last, last - first + 1};
}

// Stores every changed entry under a seq of its own and returns those seqs.
std::vector<Seq> StoreAll(GapLedger& ledger) {
  static Seq next = 100;
  std::vector<Seq> seqs;
  EXPECT_TRUE(ledger
                  .StoreChanged([&](GapLedger::Entry& entry) -> Status {
                    if (entry.seq == 0) entry.seq = next++;
                    seqs.push_back(entry.seq);
                    return {};
                  })
                  .ok());
  return seqs;
}

TEST(GapRecord, HasTheMembersOfTheFormatInTheirOrder) {
  const ClockStamp stamp{"boot", {}, WallTime(std::chrono::milliseconds(1'750'638'901'000)), true};
  const Record record = MakeGapRecord({"acme", RecordClass::kHeartbeat, kGapStoreFull, 5, 9, 4},
                                      {"gw\"1", "0a1b2c3d"}, stamp);
  EXPECT_EQ(
      record.value,
      R"({"tenant_id":"acme","asset_id":"gw\"1","timestamp":"2025-06-23T00:35:01.000Z","gateway_id":"gw\"1",)"
      R"("epoch":"0a1b2c3d","class":"heartbeat","first_seq":5,"last_seq":9,"count":4,"reason":"store full"})");
  EXPECT_EQ(record.record_class, RecordClass::kGap);
  EXPECT_EQ(record.tenant, "acme");
  EXPECT_EQ(record.asset, "gw\"1");
  EXPECT_EQ(record.time, stamp.wall);
  EXPECT_TRUE(record.clock_synced);
}

TEST(GapLedgerDeathTest, ALossWithItsSeqsInTheWrongOrderAborts) {
  GapLedger ledger;
  EXPECT_DEATH(ledger.Add(Loss(5, 1), "fallback"), "a loss has its seqs in order");
}

TEST(GapLedgerDeathTest, AGapRecordThatIsStoredWithoutASeqAborts) {
  GapLedger ledger;
  ledger.Add(Loss(1, 5), "fallback");
  EXPECT_DEATH((void)ledger.StoreChanged([](GapLedger::Entry&) { return Status(); }),
               "a stored gap record has a seq");
}

TEST(BatchSet, SumsRecordsPerClassAndKeepsTheFirstCount) {
  BatchSet set;
  set.Add(MakeBatchKey(RecordClass::kReading, 1), 5);
  set.Add(MakeBatchKey(RecordClass::kReading, 6), 2);
  set.Add(MakeBatchKey(RecordClass::kReading, 6), 9);
  set.Erase(MakeBatchKey(RecordClass::kReading, 1));
  set.Erase(MakeBatchKey(RecordClass::kAlert, 1));
  EXPECT_EQ(set.records()[static_cast<size_t>(RecordClass::kReading)], 2u);
  EXPECT_TRUE(set.AnyAfter(RecordClass::kReading, 5));
  EXPECT_FALSE(set.AnyAfter(RecordClass::kReading, 6));
}

TEST(BatchSetDeathTest, ACountThatNoBatchHasAborts) {
  BatchSet set;
  EXPECT_DEATH(set.Add(MakeBatchKey(RecordClass::kReading, 1), kMaxRowRecords + 1),
               "a row holds no more records than a batch may");
}

TEST(BatchKeyDeathTest, ASeqOfMoreThan56BitsAborts) {
  EXPECT_DEATH((void)MakeBatchKey(RecordClass::kReading, 1ull << 56), "a seq fits into the key");
}

TEST(GapLedger, LossesOfOneTenantAndClassBecomeOneRecord) {
  GapLedger ledger;
  ledger.Add(Loss(1, 5), "fallback");
  ledger.Add(Loss(6, 8), "fallback");
  EXPECT_EQ(ledger.changed(), 1u);
  const auto stored = StoreAll(ledger);
  ASSERT_EQ(stored.size(), 1u);
  ledger.Add(Loss(9, 9), "fallback");
  EXPECT_TRUE(ledger
                  .StoreChanged([&](GapLedger::Entry& entry) -> Status {
                    EXPECT_EQ(entry.seq, stored[0]);
                    EXPECT_EQ(entry.gap.first_seq, 1u);
                    EXPECT_EQ(entry.gap.last_seq, 9u);
                    EXPECT_EQ(entry.gap.count, 9u);
                    return {};
                  })
                  .ok());
  EXPECT_TRUE(StoreAll(ledger).empty());
}

TEST(GapLedger, TenantsAndClassesAreKeptApart) {
  GapLedger ledger;
  ledger.Add(Loss(1, 1), "fallback");
  ledger.Add(Loss(2, 2, "other"), "fallback");
  ledger.Add(Loss(3, 3, "acme", RecordClass::kHeartbeat), "fallback");
  EXPECT_EQ(StoreAll(ledger).size(), 3u);
}

TEST(GapLedger, TenantsBeyondTheLimitShareAnEntryAndNothingIsUncounted) {
  GapLedger ledger;
  for (Seq seq = 1; seq <= 1000; ++seq) {
    ledger.Add(Loss(seq, seq, "t" + std::to_string(seq)), "fallback");
  }
  EXPECT_EQ(ledger.changed(), GapLedger::kMostEntries + 1);
  uint64_t count = 0;
  std::string last;
  EXPECT_TRUE(ledger
                  .StoreChanged([&](GapLedger::Entry& entry) -> Status {
                    entry.seq = 2000 + count;
                    count += entry.gap.count;
                    if (entry.gap.tenant == "fallback") last = std::to_string(entry.gap.count);
                    return {};
                  })
                  .ok());
  EXPECT_EQ(count, 1000U);
  EXPECT_EQ(last, std::to_string(1000 - GapLedger::kMostEntries));
  // A tenant that has an entry keeps it.
  ledger.Add(Loss(1001, 1001, "t1"), "fallback");
  EXPECT_EQ(ledger.changed(), 1U);
  ledger.CloseClass(RecordClass::kReading);
  ledger.Add(Loss(1002, 1002, "t900"), "fallback");
  EXPECT_TRUE(ledger
                  .StoreChanged([&](GapLedger::Entry& entry) -> Status {
                    EXPECT_EQ(entry.gap.tenant, "t900");
                    entry.seq = 5000;
                    return {};
                  })
                  .ok());
}

TEST(GapLedger, ARecordThatWasHandedOutGrowsNoMore) {
  GapLedger ledger;
  ledger.Add(Loss(1, 1), "fallback");
  const auto first = StoreAll(ledger);
  ledger.Close(first[0]);
  ledger.Add(Loss(2, 2), "fallback");
  EXPECT_NE(StoreAll(ledger), first);
}

TEST(GapLedger, ALossBehindAHandedOutBatchBeginsANewRecord) {
  GapLedger ledger;
  ledger.Add(Loss(1, 1), "fallback");
  const auto first = StoreAll(ledger);
  ledger.CloseClass(RecordClass::kHeartbeat);
  ledger.Add(Loss(2, 2), "fallback");
  EXPECT_EQ(StoreAll(ledger), first);
  ledger.CloseClass(RecordClass::kReading);
  ledger.Add(Loss(3, 3), "fallback");
  EXPECT_NE(StoreAll(ledger), first);
}

}  // namespace
}  // namespace tidegate
