// The store on a disk that fails at the n-th call, for every n of a short run, and on one that
// loses power.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "store/inspect.h"
#include "tests/support/chain_fold.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

// What the pipeline and the uplink know: which values were acknowledged to them, and which they
// reported delivered.
class Oracle {
 public:
  void Append(Store& store) {
    const auto record_class = kRecordClasses[random_() % kRecordClasses.size()];
    std::vector<Record> records;
    for (uint64_t count = 1 + random_() % 4; count != 0; --count) {
      const std::string value =
          "value-" + std::to_string(++last_value_) + std::string(random_() % 600, 'x');
      records.push_back(MakeRecord(value, record_class));
      tried_.insert(value);
    }
    // The pipeline folds first and then appends; what it could not append it tries again.
    const ChainFold before = fold_;
    fold_.Add(record_class, records);
    const auto seq = AppendBatch(store, records);
    if (!seq.ok()) {
      // Of several consecutive failures only the first can have reached the medium.
      if (!in_doubt_) in_doubt_ = fold_;
      fold_ = before;
      return;
    }
    in_doubt_.reset();
    ++acknowledged_batches_;
    for (size_t i = 0; i < records.size(); ++i) {
      EXPECT_TRUE(owed_.emplace(*seq + i, records[i].value).second)
          << "seq " << *seq + i << " was given out twice";
      EXPECT_TRUE(seqs_.insert(*seq + i).second) << "seq " << *seq + i << " was given out twice";
    }
  }
  void DeliverFirst(Store& store) {
    const auto next = store.Next({});
    if (!next.ok() || !*next) return;
    store.Delivered((*next)->record_class, (*next)->first_seq);
    for (size_t i = 0; i < (*next)->records.size(); ++i) owed_.erase((*next)->first_seq + i);
  }
  // Everything owed is there, in order, and nothing that was never appended.
  void Check(Store& store) const {
    std::map<Seq, std::string> stored;
    std::array<Seq, kRecordClassCount> last{};
    for (const Batch& batch : ReadAll(store)) {
      EXPECT_GT(batch.first_seq, last[static_cast<size_t>(batch.record_class)]);
      last[static_cast<size_t>(batch.record_class)] = batch.first_seq;
      for (size_t i = 0; i < batch.records.size(); ++i)
        stored[batch.first_seq + i] = batch.records[i].value;
    }
    for (const auto& [seq, value] : owed_) {
      ASSERT_TRUE(stored.contains(seq)) << "seq " << seq << " is lost";
      EXPECT_EQ(stored[seq], value);
    }
    for (const auto& [seq, value] : stored) EXPECT_TRUE(tried_.contains(value));
    EXPECT_EQ(ChainFold::Restore(store), fold_);
  }
  // After a power cut an append that never returned may be there all the same, whole: then the fold
  // has it, too.
  void GoOnAfterPowerCut(Store& store) {
    const ChainFold restored = ChainFold::Restore(store);
    if (in_doubt_ && restored == *in_doubt_) fold_ = restored;
    in_doubt_.reset();
    GiveSnapshotsTo(store);
    Check(store);
  }
  void GiveSnapshotsTo(Store& store) {
    store.SetSnapshotSource([this] { return fold_.Save(); });
  }
  uint64_t acknowledged_batches() const { return acknowledged_batches_; }
  uint64_t owed() const { return owed_.size(); }
  std::mt19937_64& random() { return random_; }
  explicit Oracle(uint64_t seed) : random_(seed) {}

 private:
  std::mt19937_64 random_;
  uint64_t last_value_ = 0;
  uint64_t acknowledged_batches_ = 0;
  std::set<std::string> tried_;
  std::set<Seq> seqs_;
  std::map<Seq, std::string> owed_;
  ChainFold fold_;
  std::optional<ChainFold> in_doubt_;
};

class StoreFaultTest : public testing::Test {
 protected:
  // A store whose log is emptied every few commits, so that faults hit checkpoints too.
  struct World {
    World() {
      store.options.vfs = vfs.name();
      store.options.max_bytes = 1 << 20;
      store.options.max_replay_batches = 3;
    }
    SqliteStore& Reopen(Oracle& oracle) {
      SqliteStore& opened = store.Reopen();
      oracle.GiveSnapshotsTo(opened);
      return opened;
    }
    FaultVfs vfs{"fault"};
    SqliteStoreFixture store;
  };

  static void Work(World& world, Oracle& oracle, int rounds) {
    for (int i = 0; i < rounds; ++i) {
      oracle.Append(world.store.store());
      if (i % 3 != 0) oracle.DeliverFirst(world.store.store());
      if (i % 7 == 0) (void)world.store.store().Flush();
    }
  }

  static void ExpectSound(World& world) {
    world.store.Close();
    const auto report = Verify(world.store.options.path);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_THAT(report->findings, testing::IsEmpty());
  }
};

TEST_F(StoreFaultTest, NothingAcknowledgedIsLostWhicheverCallFails) {
  constexpr int kRounds = 40;
  uint64_t faults = 0;
  uint64_t acknowledged = 0;
  for (uint64_t n = 1;; n += n < 100 ? 1 : 7) {
    SCOPED_TRACE(testing::Message() << "call " << n);
    World world;
    Oracle oracle(n);
    world.Reopen(oracle);
    world.vfs.FailNth(n);
    Work(world, oracle, kRounds);
    const bool failed = world.vfs.failed();
    world.vfs.Heal();
    // The store heals by itself, in the running process.
    const uint64_t before = oracle.acknowledged_batches();
    oracle.Append(world.store.store());
    EXPECT_EQ(oracle.acknowledged_batches(), before + 1);
    oracle.Check(world.store.store());
    oracle.Check(world.Reopen(oracle));
    ExpectSound(world);
    acknowledged += oracle.acknowledged_batches();
    if (!failed || HasFailure()) break;
    ++faults;
  }
  printf("%lu faults, %lu batches acknowledged\n", static_cast<unsigned long>(faults),
         static_cast<unsigned long>(acknowledged));
  EXPECT_GT(faults, 100u);
}

// The commit that fails has deleted what only its snapshot covered.
TEST_F(StoreFaultTest, TheStateIsWholeAgainWithTheAppendBehindAFailedSnapshot) {
  constexpr size_t kSyncs = 6;
  int due_at = 0;
  uint64_t failures = 0;
  for (size_t n = 0; n <= kSyncs; ++n) {
    SCOPED_TRACE(testing::Message() << "sync " << n);
    World world;
    world.store.options.max_replay_batches = world.store.options.max_replay_records = 100'000;
    SqliteStore& store = world.store.Reopen();
    ChainFold fold;
    int asked = 0;
    store.SetSnapshotSource([&] {
      ++asked;
      return fold.Save();
    });
    FleetSource fleet;
    const auto append = [&] {
      const auto records = fleet.Take(200);
      const ChainFold before = fold;
      fold.Add(RecordClass::kHeartbeat, records);
      const bool stored = AppendBatch(store, records).ok();
      if (!stored) fold = before;
      for (const Batch& batch : ReadAll(store)) {
        store.Delivered(batch.record_class, batch.first_seq);
      }
      return stored;
    };
    // Once without a fault, to learn which append makes room.
    for (int i = 0; n == 0 && asked == 0; ++i, ++due_at) ASSERT_TRUE(append() && i < 10'000);
    if (n == 0) continue;
    for (int i = 1; i < due_at; ++i) ASSERT_TRUE(append());
    world.vfs.FailNth(n, FaultVfs::Call::kSync);
    failures += append() ? 0 : 1;
    world.vfs.Heal();
    ASSERT_TRUE(append());
    EXPECT_EQ(ChainFold::Restore(store), fold);
  }
  EXPECT_GT(failures, 0u);
}

TEST_F(StoreFaultTest, ADiskThatStaysBrokenIsUnavailableUntilItHeals) {
  for (const auto call : {FaultVfs::Call::kWrite, FaultVfs::Call::kSync}) {
    World world;
    Oracle oracle(1);
    world.Reopen(oracle);
    Work(world, oracle, 5);
    world.vfs.FailNth(1, call, 0, true);
    const uint64_t before = oracle.acknowledged_batches();
    Work(world, oracle, 5);
    EXPECT_EQ(oracle.acknowledged_batches(), before);
    const auto refused = AppendBatch(world.store.store(), FleetSource().Take(1));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    world.vfs.Heal();
    Work(world, oracle, 5);
    EXPECT_EQ(oracle.acknowledged_batches(), before + 5);
    oracle.Check(world.store.Reopen());
  }
}

TEST_F(StoreFaultTest, AFullDiskRefusesAppendsAndLosesNothing) {
  World world;
  Oracle oracle(1);
  world.Reopen(oracle);
  Work(world, oracle, 20);
  world.vfs.FailNth(1, FaultVfs::Call::kWrite, SQLITE_FULL, true);
  const auto refused = AppendBatch(world.store.store(), FleetSource().Take(1));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kFull);
  world.vfs.Heal();
  Work(world, oracle, 20);
  oracle.Check(world.store.Reopen());
}

TEST_F(StoreFaultTest, NothingAcknowledgedIsLostInAPowerCut) {
  constexpr uint64_t kCuts = 150;
  uint64_t owed = 0;
  for (uint64_t seed = 1; seed <= kCuts; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    World world;
    Oracle oracle(seed);
    world.Reopen(oracle);
    for (int cut = 0; cut < 3; ++cut) {
      // Somewhere inside the work, between two calls.
      world.vfs.FailNth(1 + oracle.random()() % 400, std::nullopt, SQLITE_IOERR, true);
      Work(world, oracle, static_cast<int>(5 + oracle.random()() % 40));
      world.vfs.CutPower();
      world.store.Close();
      world.vfs.RestorePower(seed * 3 + static_cast<uint64_t>(cut));
      oracle.GoOnAfterPowerCut(world.store.Reopen());
      if (HasFailure()) return;
    }
    owed += oracle.owed();
    ExpectSound(world);
  }
  printf("%lu power cuts, %lu records owed, none lost\n", static_cast<unsigned long>(3 * kCuts),
         static_cast<unsigned long>(owed));
  EXPECT_GT(owed, 1000u);
}

TEST_F(StoreFaultTest, WithoutFsyncTheSamePowerCutsShowLosses) {
  bool lost = false;
  for (uint64_t seed = 1; seed <= 20 && !lost; ++seed) {
    World world;
    world.store.options.durability = Durability::kProcessSafe;
    SqliteStore& store = world.store.Reopen();
    FleetSource fleet;
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(AppendBatch(store, fleet.Take(2)).ok());
    world.vfs.CutPower();
    world.store.Close();
    world.vfs.RestorePower(seed);
    lost = world.store.Reopen().Usage().total_records() < 20;
  }
  EXPECT_TRUE(lost) << "the harness cannot see a loss";
}

}  // namespace
}  // namespace tidegate
