// The salvage on media that fail, beside logs that do not fit, and in a running process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/salvage/salvage_fixture.h"

namespace tidegate {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// With a log that a crash left.
class SalvageLogTest : public SalvageTest {
 protected:
  // Both files as SIGKILL leaves them, with all batches of `stored`.
  void FillWithLog(const std::string& other = "") {
    if (!other.empty()) options.path = dir.File(other);
    Reopen();
    FillHalf(0, 20);
    Reopen();
    FillHalf(20, 30);
    stored = Read(store()).records;
    epoch = store().epoch();
    sound = Contents(options.path);
    log_bytes = Contents(options.path + "-wal");
    Close();
  }
  void PlaceBoth(const std::string& database, const std::string& with_log) {
    Place(database);
    Write(options.path + "-wal", with_log);
    Reopen();
  }

  std::string log_bytes;
};

TEST_F(SalvageLogTest, ALogWithoutItsDatabaseIsReadAndKept) {
  FillWithLog();
  PlaceBoth("", log_bytes);
  const Reading reading = Read(store());
  EXPECT_FALSE(reading.records.empty());
  EXPECT_TRUE(std::ranges::includes(stored, reading.records));
  EXPECT_EQ(reading.own_alerts.size(), 2u);
  ASSERT_THAT(ListSetAside(options.path), SizeIs(1));
  EXPECT_EQ(Contents(ListSetAside(options.path).front().path + "-wal"), log_bytes);
}

TEST_F(SalvageLogTest, ALogOfAnotherStoreIsNotMixedIn) {
  FillWithLog();
  const Ids first = stored;
  const std::string database = sound, ours = log_bytes, path = options.path;
  fleet = FleetSource(7);
  FillWithLog("other.db");
  const std::string strange = log_bytes;
  options.path = path;
  PlaceBoth(database, strange);
  stored = first;
  const Reading reading = Read(store());
  EXPECT_TRUE(std::ranges::includes(first, reading.records));
  EXPECT_GE(reading.records.size() + 60, first.size());
  const auto aside = ListSetAside(options.path);
  ASSERT_THAT(aside, SizeIs(1));
  EXPECT_EQ(aside.front().aside, Aside::kKept);
  EXPECT_EQ(Contents(aside.front().path), database);
  EXPECT_EQ(Contents(aside.front().path + "-wal"), strange);
  // Its own is taken as it is.
  PlaceBoth(database, ours);
  EXPECT_EQ(Read(store()).records, first);
  EXPECT_THAT(ListSetAside(options.path), IsEmpty());
}

TEST_F(SalvageLogTest, ATruncatedOrGarbledLogCostsOnlyWhatStoodInIt) {
  FillWithLog();
  PlaceBoth(sound, "");
  const size_t without = Read(store()).records.size();
  std::string garbled = log_bytes;
  for (size_t i = 1000; i < garbled.size(); i += 97) garbled[i] ^= 0x55;
  std::vector<std::string> logs{std::string(5000, '\xa5'), garbled};
  for (size_t size = 1; size < log_bytes.size(); size += size / 3 + 3001)
    logs.push_back(log_bytes.substr(0, size));
  for (const std::string& with_log : logs) {
    PlaceBoth(sound, with_log);
    const Ids records = Read(store()).records;
    EXPECT_GE(records.size(), without);
    EXPECT_TRUE(std::ranges::includes(stored, records));
  }
}

// Blocks that the medium does not give, whichever they are.
TEST_F(SalvageTest, AnUnreadableBlockCostsOnlyWhatStoodOnIt) {
  Fill();
  for (uint64_t block = 0; block < sound.size() / kPageBytes; block += 3) {
    SCOPED_TRACE(testing::Message() << "block " << block);
    FaultVfs vfs("unreadable");
    options.vfs = vfs.name();
    Place(sound);
    vfs.LoseBlock(options.path, block);
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    const Reading reading = Read(**opened);
    for (const auto& [id, value] : stored) {
      const auto found = reading.records.find(id);
      if (found == reading.records.end()) {
        EXPECT_TRUE(IsTold(reading.gaps, id)) << id;
      } else {
        EXPECT_EQ(found->second, value);
      }
    }
    EXPECT_TRUE(std::ranges::includes(stored, reading.records));
    opened->reset();
    options.vfs.clear();
    if (HasFailure()) return;
  }
}

TEST_F(SalvageTest, ASingleReadErrorIsNoDamage) {
  Fill();
  FaultVfs vfs("hiccup");
  options.vfs = vfs.name();
  for (uint64_t n = 1; n < 60; ++n) {
    Place(sound);
    vfs.FailNth(n, FaultVfs::Call::kRead);
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    EXPECT_EQ((*opened)->epoch(), epoch);
    EXPECT_EQ(Read(**opened).records, stored);
    vfs.Heal();
    opened->reset();
  }
  options.vfs.clear();
}

// A page that reads so many times, and no more: at the last the scan gets it, and the move does
// not.
TEST_F(SalvageTest, ABlockThatDiesDuringTheSalvageIsToldAsWell) {
  Fill();
  std::string damaged = sound;
  damaged[0] = 'x';
  MemoryBytes bytes(sound);
  StoreScan scan(bytes, nullptr);
  scan.Run();
  const uint64_t page = scan.batches()[scan.batches().size() / 2].place.page;
  size_t with_loss = 0, whole = 0;
  for (uint64_t times = 0; times < 100 && whole == 0; ++times) {
    SCOPED_TRACE(testing::Message() << "given " << times << " times");
    FaultVfs vfs("dying");
    options.vfs = vfs.name();
    Place(damaged);
    vfs.LoseBlock(options.path, (page - 1) * kPageBytes / 512, times);
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    const Reading reading = Read(**opened);
    const size_t missing = stored.size() - reading.records.size();
    for (const auto& [id, value] : stored) {
      EXPECT_TRUE(reading.records.contains(id) || IsTold(reading.gaps, id)) << id;
    }
    (missing > 0 ? with_loss : whole) += 1;
    opened->reset();
    options.vfs.clear();
  }
  EXPECT_GT(with_loss, 2u);
  EXPECT_EQ(whole, 1u);
}

// A damage that shows when the running process has to open the file again.
TEST_F(SalvageTest, ARunningStoreGoesOnInANewOne) {
  Fill();
  FaultVfs vfs("running");
  options.vfs = vfs.name();
  Place(sound);
  Reopen();
  const Seq before = *AppendBatch(store(), fleet.Take(1), StampNow());
  const std::string name = epoch + ":" + std::to_string(before);
  std::fstream file(options.path, std::ios::binary | std::ios::in | std::ios::out);
  MemoryBytes bytes(sound);
  StoreScan scan(bytes, nullptr);
  scan.Run();
  file.seekp((scan.batches()[scan.batches().size() / 2].place.page - 1) * kPageBytes);
  file << std::string(kPageBytes, '\0');
  file.close();
  vfs.FailNth(1, FaultVfs::Call::kWrite);
  EXPECT_FALSE(AppendBatch(store(), fleet.Take(1), StampNow()).ok());
  const auto next = AppendBatch(store(), fleet.Take(1), StampNow());
  ASSERT_TRUE(next.ok()) << next.error().message;
  EXPECT_NE(store().epoch(), epoch);
  EXPECT_GT(*next, before);
  FinishSalvage(store());
  const Reading reading = Read(store());
  EXPECT_TRUE(reading.records.contains(name)) << "appended before the damage";
  EXPECT_GE(reading.records.size() + 40, stored.size());
  for (const auto& [id, value] : stored) {
    EXPECT_TRUE(reading.records.contains(id) || IsTold(reading.gaps, id)) << id;
  }
  Close();
  options.vfs.clear();
}

}  // namespace
}  // namespace tidegate
