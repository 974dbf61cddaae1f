// The byte limit, at every moment and for all files together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "store/inspect.h"
#include "tests/support/chain_fold.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

class StoreLimitTest : public testing::TestWithParam<uint64_t>, public SqliteStoreFixture {
 protected:
  std::vector<Record> Noise(size_t count, size_t bytes, RecordClass record_class) {
    std::vector<Record> records;
    for (size_t i = 0; i < count; ++i) {
      std::string value(bytes, '\0');
      for (size_t at = 0; at < bytes; at += 8) {
        const uint64_t noise = random_();
        std::memcpy(value.data() + at, &noise, std::min<size_t>(8, bytes - at));
      }
      records.push_back(
          MakeRecord(std::move(value), record_class, random_() % 3 == 0 ? "other" : "acme"));
    }
    return records;
  }
  size_t Below(size_t bound) { return random_() % bound; }
  // All files together, by their sizes and by the blocks that they own.
  void ExpectLimit() {
    uint64_t owned = 0;
    for (const char* suffix : {"", "-wal", "-shm"}) {
      struct stat info {};
      ASSERT_EQ(stat((options.path + suffix).c_str(), &info), 0) << suffix;
      owned += static_cast<uint64_t>(info.st_blocks) * 512;
    }
    ASSERT_LE(FileBytes(), options.max_bytes);
    ASSERT_LE(owned, options.max_bytes);
    ASSERT_LE(store().Usage().bytes, options.max_bytes);
  }

  std::mt19937_64 random_{GetParam()};
};

// Every record ends in exactly one place: still stored, delivered, or counted by a gap.
class Ledger {
 public:
  void Appended(uint64_t records) { appended_ += records; }
  void Delivered(const Batch& batch) {
    if (batch.record_class == RecordClass::kGap) {
      CountGap(batch);
    } else {
      delivered_ += batch.records.size();
    }
  }
  void CountGap(const Batch& batch) {
    for (const Record& record : batch.records) {
      const auto at = record.value.find("\"count\":") + 8;
      // Lost gap records and dead letters are no lost readings.
      if (record.value.find("\"class\":\"gap\"") == std::string::npos &&
          record.value.find("\"class\":\"dead_letter\"") == std::string::npos)
        gaps_ += std::stoull(record.value.substr(at));
    }
  }
  void ExpectNothingMissing(Store& store) {
    uint64_t stored = 0;
    for (const Batch& batch : ReadAll(store)) {
      if (batch.record_class == RecordClass::kGap) {
        CountGap(batch);
      } else {
        stored += batch.records.size();
      }
    }
    EXPECT_EQ(appended_, stored + delivered_ + gaps_);
    EXPECT_GT(gaps_, 0u);
  }

 private:
  uint64_t appended_ = 0;
  uint64_t delivered_ = 0;
  uint64_t gaps_ = 0;
};

TEST_P(StoreLimitTest, HoldsAtEveryMomentAndEveryRecordIsAccountedFor) {
  options.max_bytes = 1 << 20;
  options.durability = Durability::kProcessSafe;  // The same code, without the waiting.
  options.max_replay_batches = 20;
  ChainFold fold;
  const auto begin = [&] {
    Reopen().SetSnapshotSource([&] { return *fold.Save() + std::string(Below(32'000), 'x'); });
  };
  begin();
  Ledger ledger;
  Cursor cursor;
  std::vector<Batch> on_their_way;
  for (int round = 0; round < 500; ++round) {
    const auto record_class = Below(10) == 0 ? RecordClass::kReading : RecordClass::kHeartbeat;
    const auto records = Noise(1 + Below(20), Below(1500), record_class);
    const DeadLetter letter{"in", "", "reason", std::string(Below(5'000), 'x'), WallTime{}};
    AppendRequest request;
    request.batches.push_back({record_class, records});
    fold.Add(record_class, records);
    if (Below(5) == 0) request.dead_letters = {&letter, 1};
    const auto appended = store().Append(request);
    ASSERT_TRUE(appended.ok()) << appended.error().message;
    ledger.Appended(records.size());
    ExpectLimit();
    if (Below(20) == 0) {
      const std::string name = "value" + std::to_string(Below(10));
      ASSERT_TRUE(store().WriteValue(name, std::string(Below(8'000), 'v')).ok());
      ExpectLimit();
    }
    if (Below(4) == 0) {
      auto next = store().Next(cursor);
      ASSERT_TRUE(next.ok());
      if (*next) {
        cursor.last[static_cast<size_t>((*next)->record_class)] = (*next)->first_seq;
        store().Delivered((*next)->record_class, (*next)->first_seq);
        ledger.Delivered(**next);
      }
    }
    if (Below(50) == 0) {
      ASSERT_TRUE(store().Flush().ok());
      ExpectLimit();
    }
    if (Below(300) == 0) {
      ASSERT_TRUE(store().Flush().ok());
      begin();
      ExpectLimit();
      ASSERT_EQ(ChainFold::Restore(store()), fold);
      cursor = {};
    }
  }
  ASSERT_TRUE(store().Flush().ok());
  EXPECT_EQ(ChainFold::Restore(store()), fold);
  ledger.ExpectNothingMissing(store());
  Close();
  const auto report = Verify(options.path);
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->findings, testing::IsEmpty());
}

TEST_P(StoreLimitTest, GapsOfALongOutageStayFew) {
  options.max_bytes = 1 << 20;
  options.durability = Durability::kProcessSafe;
  Reopen();
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(AppendBatch(store(), Noise(2, 1'000, RecordClass::kHeartbeat)).ok());
  }
  EXPECT_LE(store().Usage().records[static_cast<size_t>(RecordClass::kGap)], 2u);
}

// Each batch has tenants of its own, as a source sends them that invents them.
TEST_P(StoreLimitTest, InventedTenantsGetNoMoreThanTheirShareOfTheGaps) {
  options.max_bytes = 2 << 20;
  options.durability = Durability::kProcessSafe;
  Reopen();
  uint64_t appended = 0;
  for (int round = 0; round < 150; ++round) {
    auto records = Noise(100, 300, RecordClass::kHeartbeat);
    for (Record& record : records) record.tenant = "tenant-" + std::to_string(appended++);
    const auto stored = AppendBatch(store(), records);
    ASSERT_TRUE(stored.ok()) << stored.error().message;
    ASSERT_NO_FATAL_FAILURE(ExpectLimit());
  }
  const StoreUsage usage = store().Usage();
  EXPECT_LE(usage.records[static_cast<size_t>(RecordClass::kGap)], 80U);
  EXPECT_GE(usage.records[static_cast<size_t>(RecordClass::kHeartbeat)], 3'000U);
  Ledger ledger;
  ledger.Appended(appended);
  ledger.ExpectNothingMissing(store());
}

TEST_P(StoreLimitTest, AVisitorDoesNotHoldUpTheAgent) {
  options.max_bytes = 1 << 20;
  Reopen();
  ASSERT_TRUE(AppendBatch(store(), Noise(1, 100, RecordClass::kHeartbeat)).ok());
  bool refused = false;
  // A visitor runs between reads, so it holds nothing: appends from inside it must all work.
  const auto visited = ForEachRecord(options.path, {}, [&](const StoredRecord&) {
    for (int i = 0; i < 300; ++i) {
      refused = refused || !AppendBatch(store(), Noise(1, 3'000, RecordClass::kHeartbeat)).ok();
      EXPECT_LE(FileBytes(), options.max_bytes);
    }
    return false;
  });
  ASSERT_TRUE(visited.ok()) << visited.error().message;
  EXPECT_FALSE(refused);
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreLimitTest, testing::Range<uint64_t>(1, 4));

}  // namespace
}  // namespace tidegate
