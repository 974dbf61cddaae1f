// A salvage in steps: it holds nobody up, sources are acknowledged meanwhile, a kill repeats
// nothing, and what restores the fold is there before the store counts as ready.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/salvage/salvage_job.h"
#include "store/salvage/step_limit.h"
#include "tests/store/salvage/salvage_fixture.h"

namespace tidegate {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SalvageStepTest : public SalvageTest {
 protected:
  SalvageStepTest() { leaves_salvage = true; }

  // A deadline that has passed: each step does the least that it can.
  bool StepOnce() { return store().StepSalvage(BootTime{}).has_value(); }
  void StepUntilReady() {
    while (!store().IsReady() && StepOnce()) {
    }
    ASSERT_TRUE(store().IsReady());
  }
  // Damages the header of the open file and makes the store find it.
  void DamageInUse() {
    std::fstream file(options.path, std::ios::binary | std::ios::in | std::ios::out);
    file << 'X';
    file.close();
    vfs.FailNth(1, FaultVfs::Call::kWrite);
    EXPECT_FALSE(AppendBatch(store(), fleet.Take(1), StampNow()).ok());
    EXPECT_TRUE(store().ReadValue("any").ok()) << "the second look replaces it";
  }
  void OpenSound() {
    Place(sound);
    options.vfs = vfs.name();
    Reopen();
    store().SetSnapshotSource([] { return "folded"; });
  }
  // Appends a batch; returns the ids of its records with their values.
  Ids Append(size_t count) {
    const auto records = fleet.Take(count);
    const auto first = AppendBatch(store(), records, StampNow());
    EXPECT_TRUE(first.ok()) << first.error().message;
    Ids ids;
    for (size_t i = 0; first.ok() && i < count; ++i) {
      ids.emplace(store().epoch() + ":" + std::to_string(*first + i), records[i].value);
    }
    return ids;
  }
  // Opens what a SIGKILL at this moment leaves.
  void KillAndReopen() {
    const TempDir image;
    std::filesystem::copy(Folder(), image.File("store"));
    Close();
    std::filesystem::remove_all(Folder());
    std::filesystem::copy(image.File("store"), Folder());
    options.vfs.clear();
    Reopen();
    store().SetSnapshotSource([] { return "folded"; });
  }

  ~SalvageStepTest() override { Close(); }

  FaultVfs vfs{"steps"};
};

TEST_F(SalvageStepTest, SourcesAreAcknowledgedBetweenTheSteps) {
  Fill();
  OpenSound();
  DamageInUse();
  EXPECT_TRUE(store().IsReady());
  ASSERT_TRUE(store().IsSalvaging());
  Ids all = stored;
  uint64_t steps = 0;
  do {
    all.merge(Append(1));
    ++steps;
    ASSERT_TRUE(store().Usage().salvage_percent.has_value() || !store().IsSalvaging());
    if (HasFailure()) return;
  } while (StepOnce());
  EXPECT_GT(steps, 100u);
  EXPECT_EQ(store().Usage().salvage_percent, std::nullopt);
  const Reading reading = Read(store());
  EXPECT_EQ(reading.records, all);
  EXPECT_THAT(reading.own_alerts, SizeIs(2));
  EXPECT_THAT(reading.gaps, IsEmpty());
  EXPECT_EQ(ListSetAside(options.path).front().aside, Aside::kDamaged);
}

TEST_F(SalvageStepTest, NewBatchesDoNotOvertakeThoseOfTheDamagedFile) {
  Fill();
  OpenSound();
  DamageInUse();
  Append(3);
  Cursor cursor;
  std::map<RecordClass, std::vector<Seq>> seqs;
  bool more = true;
  while (more) {
    more = StepOnce();
    for (auto next = store().Next(cursor); next.ok() && *next; next = store().Next(cursor)) {
      const auto i = static_cast<size_t>((*next)->record_class);
      ASSERT_GT((*next)->first_seq, cursor.last[i]);
      cursor.last[i] = (*next)->first_seq;
      seqs[(*next)->record_class].push_back((*next)->first_seq);
    }
  }
  size_t records = 0;
  for (const auto& [record_class, firsts] : seqs) records += firsts.size();
  EXPECT_EQ(records, ReadAll(store()).size()) << "a batch came too late to be seen";
}

// Kill after every step; what is delivered in between does not come again.
TEST_F(SalvageStepTest, AKillAtAnyStepMovesNothingTwice) {
  Fill();
  for (uint64_t every = 7; every < 4000; every = every * 3 + 1) {
    SCOPED_TRACE(testing::Message() << "killed after " << every << " steps");
    OpenSound();
    DamageInUse();
    Ids all = stored, sent;
    all.merge(Append(2));
    uint64_t largest = every;
    for (int kills = 0;; ++kills) {
      bool more = true;
      // Reading begins anew each time, so that later processes need more steps to get further.
      for (uint64_t i = 0; more && i < largest; ++i) more = StepOnce();
      largest += every;
      for (const Batch& batch : ReadAll(store())) {
        for (size_t i = 0; i < batch.records.size(); ++i) {
          const Record& record = batch.records[i];
          if (record.record_class == RecordClass::kGap) continue;
          if (record.value.find("store-damaged") != std::string::npos) continue;
          EXPECT_TRUE(sent.emplace(IdOf(batch, i, store().epoch()), record.value).second);
        }
        store().Delivered(batch.record_class, batch.first_seq);
      }
      ASSERT_TRUE(store().Flush().ok());
      if (!more) break;
      KillAndReopen();
      EXPECT_TRUE(store().IsReady());
    }
    EXPECT_EQ(sent, all);
    if (HasFailure()) return;
  }
}

TEST_F(SalvageStepTest, AStartIsReadyWhenTheFoldCanBeRestored) {
  Fill();
  Reopen();
  store().SetSnapshotSource([] { return "folded"; });
  options.max_replay_batches = 8;
  Append(1);
  ASSERT_TRUE(store().Flush().ok());
  Close();
  Reopen();
  store().SetSnapshotSource([] { return "folded"; });
  for (int i = 0; i < 20; ++i) Append(2);
  const auto before = store().LoadSnapshot();
  ASSERT_TRUE(before.ok() && *before);
  std::vector<Seq> replay;
  for (auto batch = store().Replay(RecordClass::kHeartbeat, (*before)->through);
       batch.ok() && *batch; batch = store().Replay(RecordClass::kHeartbeat, (*batch)->first_seq)) {
    replay.push_back((*batch)->first_seq);
  }
  ASSERT_FALSE(replay.empty());
  Close();
  Place(Contents(options.path).replace(0, 1, "X"));
  Reopen();
  EXPECT_FALSE(store().IsReady());
  EXPECT_EQ(AppendBatch(store(), fleet.Take(1), StampNow()).error().code, ErrorCode::kUnavailable);
  StepUntilReady();
  EXPECT_TRUE(store().IsSalvaging()) << "the backlog is not needed for it";
  const auto after = store().LoadSnapshot();
  ASSERT_TRUE(after.ok() && *after);
  EXPECT_EQ((*after)->through, (*before)->through);
  std::vector<Seq> again;
  for (auto batch = store().Replay(RecordClass::kHeartbeat, (*after)->through);
       batch.ok() && *batch; batch = store().Replay(RecordClass::kHeartbeat, (*batch)->first_seq)) {
    again.push_back((*batch)->first_seq);
  }
  EXPECT_EQ(again, replay);
  Append(1);
  FinishSalvage(store());
}

TEST_F(SalvageStepTest, AKillDuringAStartRepeatsNothing) {
  Fill();
  for (uint64_t every = 11; every < 1000; every *= 3) {
    SCOPED_TRACE(testing::Message() << "killed after " << every << " steps");
    Place(std::string(sound).replace(0, 1, "X"));
    Reopen();
    for (uint64_t largest = every; store().IsSalvaging(); largest += every) {
      for (uint64_t i = 0; i < largest && StepOnce(); ++i) {
      }
      KillAndReopen();
    }
    const Reading reading = Read(store());
    EXPECT_EQ(reading.records, stored);
    EXPECT_THAT(reading.gaps, IsEmpty());
    EXPECT_THAT(reading.own_alerts, SizeIs(2));
    EXPECT_EQ(store().Usage().dead_letters, 1u);
    if (HasFailure()) return;
  }
}

// Before that append nothing but the damaged file has the fold.
TEST_F(SalvageStepTest, AKillBeforeTheFirstAppendWaitsForTheFold) {
  Fill();
  OpenSound();
  DamageInUse();
  KillAndReopen();
  EXPECT_FALSE(store().IsReady());
  StepUntilReady();
  FinishSalvage(store());
  EXPECT_EQ(Read(store()).records, stored);
}

TEST_F(SalvageStepTest, ValuesAreThereAtOnce) {
  Fill();
  OpenSound();
  DamageInUse();
  EXPECT_EQ(*store().ReadValue("budget"), "42 bytes");
  ASSERT_TRUE(store().WriteValue("budget", "43 bytes").ok());
  FinishSalvage(store());
  EXPECT_EQ(*store().ReadValue("budget"), "43 bytes");
}

// The first append after the damage saves the fold, so that a later start need not wait.
TEST_F(SalvageStepTest, AStartInTheMiddleOfASalvageIsReadyAtOnce) {
  Fill();
  OpenSound();
  DamageInUse();
  const Ids added = Append(2);
  Close();
  Reopen();
  EXPECT_TRUE(store().IsReady());
  EXPECT_TRUE(store().IsSalvaging());
  EXPECT_EQ((*store().LoadSnapshot())->body, "folded");
  FinishSalvage(store());
  Ids all = stored;
  all.insert(added.begin(), added.end());
  EXPECT_EQ(Read(store()).records, all);
}

TEST_F(SalvageStepTest, DamageDuringASalvageLosesNothingOfEither) {
  Fill();
  for (const uint64_t steps : {5u, 60u, 400u, 600u, 700u}) {
    SCOPED_TRACE(testing::Message() << steps << " steps");
    OpenSound();
    DamageInUse();
    Ids all = stored;
    all.merge(Append(4));
    for (uint64_t i = 0; i < steps; ++i) StepOnce();
    clock.now += std::chrono::minutes(1);
    DamageInUse();
    all.merge(Append(4));
    FinishSalvage(store());
    const Reading reading = Read(store());
    EXPECT_EQ(reading.records, all);
    EXPECT_THAT(reading.gaps, IsEmpty());
    EXPECT_THAT(ListSetAside(options.path), SizeIs(2));
    if (HasFailure()) return;
  }
}

TEST_F(SalvageStepTest, AFileThatWasTakenAwayIsDeclared) {
  Fill();
  OpenSound();
  DamageInUse();
  Append(1);
  Close();
  const std::string path = ListSetAside(options.path).front().path;
  std::filesystem::remove(path);
  std::filesystem::remove(path + "-wal");
  Reopen();
  FinishSalvage(store());
  const Reading reading = Read(store());
  for (const auto& [id, value] : stored) EXPECT_TRUE(IsTold(reading.gaps, id)) << id;
}

// However large the file is, and although the clock stands still.
TEST_F(SalvageStepTest, AStepReadsAndWritesNoMoreThanItsShare) {
  Reopen();
  for (int i = 0; i < 2400; ++i) Append(40);
  Close();
  sound = Contents(options.path);
  ASSERT_GT(sound.size(), 4u << 20);
  OpenSound();
  DamageInUse();
  uint64_t steps = 0, most_reads = 0, most_writes = 0;
  for (bool more = true; more; ++steps) {
    const uint64_t reads = vfs.calls(FaultVfs::Call::kRead), writes = vfs.calls();
    more = store().StepSalvage(BootTime::max()).has_value();
    most_reads = std::max(most_reads, vfs.calls(FaultVfs::Call::kRead) - reads);
    most_writes = std::max(most_writes, vfs.calls() - writes);
  }
  EXPECT_GT(steps, 8u);
  // The pieces, a transaction, and the checkpoint of a MiB of log that may follow it.
  constexpr uint64_t kMost = StepLimit::kMaxPieces + 3000;
  EXPECT_LT(most_reads, kMost);
  EXPECT_LT(most_writes, kMost);
  ASSERT_FALSE(store().IsSalvaging());
}

TEST_F(SalvageStepTest, TheProgressNeverGoesBack) {
  Fill();
  Place(std::string(sound).replace(0, 1, "X"));
  Reopen();
  unsigned last = 0;
  while (StepOnce()) {
    const unsigned percent = store().Usage().salvage_percent.value();
    ASSERT_GE(percent, last);
    ASSERT_LT(percent, 100u);
    last = percent;
  }
  EXPECT_GT(last, 90u);
}

TEST_F(SalvageStepTest, MetricsAndTheLogShowIt) {
  Fill();
  OpenSound();
  EXPECT_THAT(metrics->Text(), HasSubstr("\ntidegate_store_salvaging 0\n"));
  DamageInUse();
  EXPECT_THAT(metrics->Text(), HasSubstr("\ntidegate_store_salvaging 1\n"));
  FinishSalvage(store());
  EXPECT_THAT(metrics->Text(), HasSubstr("\ntidegate_store_salvaging 0\n"));
  EXPECT_THAT(metrics->Text(), HasSubstr("\ntidegate_store_salvages_total 1\n"));
}

TEST(SalvageJobTest, ReadsAsItWasWritten) {
  SalvageJob job;
  job.aside_name = ".kept-20260101T000000Z";
  job.epoch = "0a1b2c3d";
  job.why = "two\nlines";
  job.phase = SalvageJob::Phase::kBatches;
  job.replay = SalvageJob::Replay::kMoved;
  job.end_seq = 77;
  job.last_key = 3ull << 56 | 12;
  job.lost = 5;
  const std::string body = EncodeSalvageJob(job);
  job.why = "two lines";
  const auto read = DecodeSalvageJob(job.RowName(), body);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, job);
  for (size_t i = 0; i < body.size(); ++i) {
    std::string damaged = body;
    damaged[i] ^= 4;
    EXPECT_FALSE(DecodeSalvageJob(job.RowName(), damaged).ok()) << i;
    EXPECT_FALSE(DecodeSalvageJob(job.RowName(), body.substr(0, i)).ok()) << i;
  }
}

TEST(SalvageJobTest, OnlyCompleteClassesAreSentBeyondWhatWasMoved) {
  SalvageJob job;
  EXPECT_EQ(job.SendableThrough(RecordClass::kAlert), 0u);
  job.phase = SalvageJob::Phase::kBatches;
  job.last_key = static_cast<uint64_t>(MakeBatchKey(RecordClass::kHeartbeat, 40));
  EXPECT_GE(job.SendableThrough(RecordClass::kGap), kMaxSeq);
  EXPECT_EQ(job.SendableThrough(RecordClass::kHeartbeat), 40u);
  EXPECT_EQ(job.SendableThrough(RecordClass::kReading), 0u);
  job.phase = SalvageJob::Phase::kLosses;
  EXPECT_GE(job.SendableThrough(RecordClass::kReading), kMaxSeq);
}

}  // namespace
}  // namespace tidegate
