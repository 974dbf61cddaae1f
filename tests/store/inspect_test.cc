#include "store/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class InspectTest : public testing::Test, public SqliteStoreFixture {
 protected:
  void Execute(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(options.path.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  std::vector<Seq> Seqs(const RecordFilter& filter) {
    std::vector<Seq> seqs;
    const auto counts = ForEachRecord(options.path, filter, [&](const StoredRecord& stored) {
      seqs.push_back(stored.seq);
      return true;
    });
    EXPECT_TRUE(counts.ok()) << counts.error().message;
    EXPECT_TRUE(!counts.ok() || counts->records == seqs.size());
    return seqs;
  }
  std::map<std::string, uintmax_t> Files() const {
    std::map<std::string, uintmax_t> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(options.path).parent_path())) {
      files[entry.path().filename()] = entry.file_size();
    }
    return files;
  }
  // 1-3 heartbeats, 4-5 alerts, 6-9 heartbeats.
  void Fill() {
    Reopen();
    ASSERT_TRUE(AppendBatch(store(), fleet.Take(3)).ok());
    ASSERT_TRUE(AppendBatch(store(), fleet.Take(2, RecordClass::kAlert)).ok());
    ASSERT_TRUE(AppendBatch(store(), fleet.Take(4)).ok());
  }

  FleetSource fleet;
};

TEST_F(InspectTest, RecordsComeInTheOrderOfTheirSeqs) {
  Fill();
  EXPECT_THAT(Seqs({}), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(Seqs({RecordClass::kHeartbeat, {}}), ElementsAre(1, 2, 3, 6, 7, 8, 9));
  EXPECT_THAT(Seqs({{}, 5}), ElementsAre(5, 6, 7, 8, 9));
  EXPECT_THAT(Seqs({RecordClass::kHeartbeat, 5}), ElementsAre(3, 6, 7, 8, 9));
  EXPECT_THAT(Seqs({RecordClass::kAlert, 100}), ElementsAre(4, 5));
  EXPECT_THAT(Seqs({{}, 0}), ElementsAre());
}

TEST_F(InspectTest, ASoundStoreVerifies) {
  Fill();
  for (const bool running : {true, false}) {
    if (!running) Close();
    const auto report = Verify(options.path);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_THAT(report->findings, testing::IsEmpty());
    EXPECT_EQ(report->batches, 3u);
    EXPECT_EQ(report->records, 9u);
  }
}

TEST_F(InspectTest, NamesEachDamagedBatch) {
  Fill();
  Close();
  Execute(
      "UPDATE batch SET body=substr(body,1,40)||x'0000' WHERE key=4; UPDATE batch SET count=3 "
      "WHERE key=(2<<56)|6");
  const auto report = Verify(options.path);
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->findings,
              ElementsAre(HasSubstr("alert batch 4: batch body: checksum does not match"),
                          HasSubstr("heartbeat batch 6: 4 records, its row says 3")));
}

TEST_F(InspectTest, SeesABrokenPage) {
  options.durability = Durability::kProcessSafe;
  Reopen();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(AppendBatch(store(), fleet.Take(10)).ok());
  Close();
  const auto size = std::filesystem::file_size(options.path);
  FILE* const file = fopen(options.path.c_str(), "r+b");
  fseek(file, static_cast<long>(size / 2 / 512 * 512), SEEK_SET);
  const std::string zeros(4096, '\0');
  fwrite(zeros.data(), 1, zeros.size(), file);
  fclose(file);
  const auto report = Verify(options.path);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->ok());
}

TEST_F(InspectTest, LeavesNoTraceBesideAStoppedAgent) {
  Fill();
  Close();
  const auto before = Files();
  ASSERT_TRUE(Verify(options.path).ok());
  EXPECT_EQ(Seqs({}).size(), 9u);
  EXPECT_EQ(Files(), before);
}

TEST_F(InspectTest, ReadsWhatAKilledAgentLeft) {
  Reopen();
  Close();
  const pid_t child = fork();
  if (child == 0) {
    Fill();
    _exit(0);  // Nothing is closed, as after SIGKILL.
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  const auto before = Files();
  EXPECT_TRUE(before.contains("queue.db-wal"));
  EXPECT_EQ(Seqs({}).size(), 9u);
  const auto report = Verify(options.path);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->ok());
  EXPECT_EQ(Files(), before);
  EXPECT_EQ(Reopen().Usage().total_records(), 9u);
}

TEST_F(InspectTest, ReadsDeadLettersAndTheEpoch) {
  Reopen();
  std::vector<DeadLetter> letters;
  for (int i = 0; i < 5; ++i)
    letters.push_back({"in", "topic", "reason", std::to_string(i), WallTime{}});
  AppendRequest request;
  request.dead_letters = letters;
  ASSERT_TRUE(store().Append(request).ok());
  EXPECT_EQ(*ReadEpoch(options.path), store().epoch());
  std::string payloads;
  const auto visit = [&](int64_t, const DeadLetter& letter) {
    payloads += letter.payload;
    return true;
  };
  EXPECT_EQ(*ForEachDeadLetter(options.path, std::nullopt, visit), 5u);
  EXPECT_EQ(*ForEachDeadLetter(options.path, 2, visit), 2u);
  EXPECT_EQ(payloads, "0123434");
}

TEST_F(InspectTest, AMissingOrForeignFileIsAnError) {
  EXPECT_EQ(Verify(dir.File("nothing.db")).error().code, ErrorCode::kUnavailable);
  Execute("CREATE TABLE theirs(x)");
  EXPECT_EQ(Verify(options.path).error().code, ErrorCode::kCorrupt);
}

TEST_F(InspectTest, ReadsAndNamesTheDamageOfAFileThatDoesNotOpen) {
  Fill();
  const std::string epoch = store().epoch();
  Close();
  FILE* const file = fopen(options.path.c_str(), "r+b");
  fputs("no database any more", file);
  fclose(file);
  const auto before = Files();
  const auto report = Verify(options.path);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(report->findings, testing::Contains(HasSubstr("SQLITE_NOTADB")));
  EXPECT_EQ(report->records, 9u);
  std::vector<Seq> seqs;
  const auto visit = [&](const StoredRecord& stored) {
    EXPECT_EQ(stored.epoch, epoch);
    seqs.push_back(stored.seq);
    return true;
  };
  EXPECT_EQ(ForEachRecordFound(options.path, {}, visit)->records, 9u);
  EXPECT_THAT(seqs, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  seqs.clear();
  EXPECT_TRUE(ForEachRecordFound(options.path, {RecordClass::kHeartbeat, 5}, visit).ok());
  EXPECT_THAT(seqs, ElementsAre(3, 6, 7, 8, 9));
  EXPECT_EQ(Files(), before);
}

}  // namespace
}  // namespace tidegate
