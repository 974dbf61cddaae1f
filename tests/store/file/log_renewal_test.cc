#include "store/file/log_renewal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

namespace fs = std::filesystem;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
uint64_t InodeOf(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

class LogRenewalTest : public testing::Test, public SqliteStoreFixture {
 protected:
  // What a process that was killed leaves.
  void LeaveALog() {
    Reopen();
    ASSERT_TRUE(AppendBatch(store(), FleetSource().Take(3)).ok());
    for (const char* suffix : {"", "-wal"}) fs::copy(options.path + suffix, left + suffix);
  }
  std::string left = dir.File("left.db");
};

TEST_F(LogRenewalTest, ALogWithFramesBecomesACopyOfItself) {
  LeaveALog();
  fs::permissions(left + "-wal", fs::perms::owner_read | fs::perms::owner_write);
  const std::string before = Contents(left + "-wal");
  const uint64_t inode = InodeOf(left + "-wal");
  ASSERT_TRUE(RenewLog(left).ok());
  EXPECT_TRUE(Contents(left + "-wal") == before);
  EXPECT_NE(InodeOf(left + "-wal"), inode);
  EXPECT_EQ(fs::status(left + "-wal").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(fs::exists(left + "-wal.copy"));
}

TEST_F(LogRenewalTest, AnEmptyOrMissingLogIsLeftAlone) {
  Reopen();
  Close();  // Empties the log, which keeps its blocks.
  const uint64_t inode = InodeOf(options.path + "-wal");
  ASSERT_NE(inode, 0u);
  EXPECT_TRUE(RenewLog(options.path).ok());
  EXPECT_EQ(InodeOf(options.path + "-wal"), inode);
  EXPECT_TRUE(RenewLog(dir.File("nothing.db")).ok());
  EXPECT_FALSE(fs::exists(dir.File("nothing.db-wal")));
}

TEST_F(LogRenewalTest, ACopyThatCannotBeWrittenIsAnErrorAndChangesNothing) {
  LeaveALog();
  const std::string before = Contents(left + "-wal");
  fs::create_directory(left + "-wal.copy");
  EXPECT_FALSE(RenewLog(left).ok());
  EXPECT_TRUE(Contents(left + "-wal") == before);
}

}  // namespace
}  // namespace tidegate
