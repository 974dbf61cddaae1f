// A file system that others have filled (ENOSPC), a real one: tmpfs, and ext4 on a loop device.
// Needs root, for the mounts; they live in a mount namespace of this process.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "store/inspect.h"
#include "tests/support/chain_fold.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class StoreDiskFullTest : public testing::TestWithParam<std::string>, public SqliteStoreFixture {
 protected:
  void SetUp() override {
    if (!Mount()) GTEST_SKIP() << "needs root and a kernel that lets it mount";
    options.path = disk_ + "/queue.db";
    options.max_bytes = 64 << 20;  // More than the disk has.
  }
  void TearDown() override {
    Close();
    if (!disk_.empty()) umount2(disk_.c_str(), MNT_DETACH);
  }

  bool Mount() {
    if (unshare(CLONE_NEWNS) != 0) return false;
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    const std::string folder = dir.File("disk");
    std::filesystem::create_directory(folder);
    if (GetParam() == "tmpfs") {
      if (mount("none", folder.c_str(), "tmpfs", 0, "size=14m") != 0) return false;
    } else {
      const std::string image = dir.File("image");
      const std::string make =
          fmt::format("truncate -s 16M {0} && mkfs.ext4 -q -F -m 0 {0} && mount -o loop {0} {1}",
                      image, folder);
      if (std::system(make.c_str()) != 0) return false;
    }
    disk_ = folder;
    return true;
  }

  // Others take all that is left.
  void FillDisk() {
    std::ofstream file(disk_ + "/filler", std::ios::binary);
    const std::string block(4096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
    const auto left = std::filesystem::space(disk_).available;
    ASSERT_LT(left, 8192u);
  }
  void FreeDisk() { std::filesystem::remove(disk_ + "/filler"); }

  std::vector<Record> Noise(RecordClass record_class = RecordClass::kHeartbeat) {
    std::string value(20'000, '\0');
    for (char& c : value) c = static_cast<char>('0' + random_() % 75);
    return {MakeRecord(std::move(value), record_class)};
  }
  Status Append(RecordClass record_class = RecordClass::kHeartbeat) {
    const auto records = Noise(record_class);
    const ChainFold before = fold;
    fold.Add(record_class, records);
    auto status = Status(AppendBatch(store(), records));
    if (!status.ok()) fold = before;
    if (status.ok()) ++appended;
    return status;
  }
  void Begin() {
    Reopen().SetSnapshotSource([this] { return fold.Save(); });
  }
  uint64_t Deliver(size_t batches) {
    uint64_t records = 0;
    Cursor cursor;
    for (; batches != 0; --batches) {
      const auto next = store().Next(cursor);
      if (!next.ok() || !*next) break;
      cursor.last[static_cast<size_t>((*next)->record_class)] = (*next)->first_seq;
      if ((*next)->record_class != RecordClass::kGap) records += (*next)->records.size();
      store().Delivered((*next)->record_class, (*next)->first_seq);
      CountGaps(**next);
    }
    delivered += records;
    return records;
  }
  void CountGaps(const Batch& batch) {
    if (batch.record_class != RecordClass::kGap) return;
    for (const Record& record : batch.records) {
      gaps += std::stoull(record.value.substr(record.value.find("\"count\":") + 8));
    }
  }
  // Every record is stored, delivered, or counted by a gap record.
  void ExpectAllAccountedFor() {
    uint64_t stored = 0;
    for (const Batch& batch : ReadAll(store())) {
      CountGaps(batch);
      if (batch.record_class != RecordClass::kGap) stored += batch.records.size();
    }
    EXPECT_EQ(stored + delivered + gaps, appended);
    EXPECT_EQ(ChainFold::Restore(store()), fold);
    EXPECT_THAT(log_lines, Not(Contains(HasSubstr("closing, opening"))));
  }

  ChainFold fold;
  uint64_t appended = 0;
  uint64_t delivered = 0;
  uint64_t gaps = 0;

 private:
  std::mt19937_64 random_{7};
  std::string disk_;
};

TEST_P(StoreDiskFullTest, DropOldestGoesOnWithWhatItHasAndGrowsAgain) {
  Begin();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Append().ok());
  FillDisk();
  for (int i = 0; i < 600; ++i) {
    const auto status = Append(i % 50 == 0 ? RecordClass::kAlert : RecordClass::kHeartbeat);
    ASSERT_TRUE(status.ok()) << i << ": " << status.error().message;
    if (i % 100 == 99) {
      ASSERT_GT(Deliver(5), 0u);
      ASSERT_TRUE(store().Flush().ok());
      ASSERT_TRUE(store().WriteValue("clock", std::string(static_cast<size_t>(i), 'v')).ok());
    }
  }
  EXPECT_THAT(log_lines, Contains(HasSubstr("the disk is full")));
  const uint64_t while_full = store().Usage().total_records();
  EXPECT_GT(while_full, 50u);
  Begin();  // A restart on the full disk.
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Append().ok());
  FreeDisk();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Append().ok());
  EXPECT_GT(store().Usage().total_records(), while_full + 80);
  ExpectAllAccountedFor();
  EXPECT_GT(gaps, 0u);
  Close();
  const auto report = Verify(options.path);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(report->findings, testing::IsEmpty());
}

// What would fit an empty disk must not be taken for too large: the pipeline sets such records
// aside.
TEST_P(StoreDiskFullTest, ANearlyEmptyStoreAsksToWaitAndRejectsNothing) {
  Begin();
  FillDisk();
  Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    ASSERT_TRUE(Deliver(100) > 0 || i == 0);
    status = Append();
  }
  for (int i = 0; i < 20 && status.ok(); ++i) {
    std::string value(400'000, '\0');
    for (size_t at = 0; at < value.size(); ++at) value[at] = static_cast<char>('0' + at * at % 71);
    const auto records = std::vector{MakeRecord(std::move(value), RecordClass::kHeartbeat)};
    status = Status(AppendBatch(store(), records));
    if (status.ok()) {
      ++appended;
      fold.Add(RecordClass::kHeartbeat, records);
    }
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kFull) << status.error().message;
  FreeDisk();
  EXPECT_TRUE(Append().ok());
  ExpectAllAccountedFor();
}

TEST_P(StoreDiskFullTest, StopReadingRefusesAndLosesNothing) {
  options.full = FullPolicy::kStopReading;
  Begin();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Append().ok());
  FillDisk();
  for (int round = 0; round < 20; ++round) {
    Status status;
    while ((status = Append()).ok()) {
    }
    ASSERT_EQ(status.error().code, ErrorCode::kFull) << status.error().message;
    ASSERT_GT(Deliver(10), 0u);
    ASSERT_TRUE(Append().ok());
  }
  FreeDisk();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Append().ok());
  ExpectAllAccountedFor();
  EXPECT_EQ(gaps, 0u);
}

TEST_P(StoreDiskFullTest, AKilledAgentStartsOnTheFullDisk) {
  const pid_t child = fork();
  if (child == 0) {
    Begin();
    bool ok = true;
    for (int i = 0; i < 130; ++i) {
      if (i == 100) FillDisk();
      ok = ok && Append().ok();
    }
    _exit(ok ? 0 : 1);  // Nothing is closed, as after SIGKILL.
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  for (; appended < 130; ++appended) fold.Add(RecordClass::kHeartbeat, Noise());
  Begin();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Append().ok());
  ExpectAllAccountedFor();
}

INSTANTIATE_TEST_SUITE_P(Disks, StoreDiskFullTest, testing::Values("tmpfs", "ext4"),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace tidegate
