// A place that the medium no longer returns, in a file that opens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "store/inspect.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

using testing::HasSubstr;

class MediumProbeTest : public testing::Test, public SqliteStoreFixture {
 protected:
  // One batch of 64 KiB that do not compress.
  std::vector<Record> Noise() {
    std::string value(64 << 10, '\0');
    for (size_t at = 0; at < value.size(); at += 8) {
      const uint64_t noise = random_();
      std::memcpy(value.data() + at, &noise, 8);
    }
    return {MakeRecord(std::move(value))};
  }
  // A file over the 16 MiB that an opening reads. Returns its number of records.
  uint64_t Fill() {
    options.vfs = vfs.name();
    options.max_bytes = 64 << 20;
    options.durability = Durability::kProcessSafe;
    Reopen();
    constexpr uint64_t kBatches = 350;
    for (uint64_t i = 0; i < kBatches; ++i) {
      EXPECT_TRUE(AppendBatch(store(), Noise(), StampNow(clock)).ok());
    }
    return kBatches;
  }

  FaultVfs vfs{"worn"};
  std::mt19937_64 random_{1};
};

TEST_F(MediumProbeTest, APlaceThatDoesNotReadInALargeFileCostsOnlyWhatIsThere) {
  const uint64_t records = Fill();
  Reopen();
  vfs.LoseBlock(options.path, (12 << 20) / 512);
  uint64_t read = 0, errors = 0;
  for (Cursor cursor; errors < 20;) {
    const auto next = store().Next(cursor);
    if (!next.ok()) {
      ++errors;
      read = 0;
      cursor = {};
      clock.since_boot += std::chrono::seconds(1);
      FinishSalvage(store());
      continue;
    }
    if (!*next) break;
    cursor.last[static_cast<size_t>((*next)->record_class)] = (*next)->first_seq;
    if ((*next)->record_class == RecordClass::kHeartbeat) read += (*next)->records.size();
  }
  EXPECT_LT(errors, 10U);
  EXPECT_GE(read, records - 1);
  EXPECT_THAT(metrics->Text(), HasSubstr("tidegate_store_salvages_total 1\n"));
  EXPECT_TRUE(AppendBatch(store(), Noise(), StampNow(clock)).ok());
  Close();
}

TEST_F(MediumProbeTest, ErrorsThatPassAreNoDamage) {
  const uint64_t records = Fill();
  Reopen();
  for (int i = 0; i < 40; ++i) {
    vfs.FailNth(1, FaultVfs::Call::kRead);
    (void)store().Replay(RecordClass::kHeartbeat, static_cast<Seq>(i) * 8);
    vfs.Heal();
  }
  EXPECT_EQ(store().Usage().total_records(), records);
  EXPECT_THAT(metrics->Text(), HasSubstr("tidegate_store_salvages_total 0\n"));
  Close();
}

}  // namespace
}  // namespace tidegate
