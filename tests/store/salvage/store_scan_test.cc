#include "store/salvage/store_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "store/format/batch_codec.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

using testing::IsEmpty;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Seqs with the values of their records.
using Values = std::map<Seq, std::string>;

class StoreScanTest : public testing::Test, public SqliteStoreFixture {
 protected:
  // Batches of all sizes and classes in a tree of several levels, some deleted again.
  void Fill(int batches) {
    options.durability = Durability::kProcessSafe;
    Reopen();
    for (int i = 0; i < batches; ++i) {
      const auto record_class = kRecordClasses[static_cast<size_t>(i % 7 == 0 ? 0 : 2 + i % 2)];
      ASSERT_TRUE(
          AppendBatch(store(), fleet.Take(1 + static_cast<size_t>(i * i % 9), record_class)).ok());
    }
    const std::vector<Batch> all = ReadAll(store());
    for (size_t i = 0; i < all.size(); i += 5) {
      store().Delivered(all[i].record_class, all[i].first_seq);
    }
    ASSERT_TRUE(store().Flush().ok());
    const DeadLetter letter{"in", "topic", "no JSON", std::string(700, 'p'), WallTime{}};
    AppendRequest request;
    request.dead_letters = {&letter, 1};
    ASSERT_TRUE(store().Append(request).ok());
    for (const Batch& batch : ReadAll(store())) {
      for (size_t i = 0; i < batch.records.size(); ++i)
        stored[batch.first_seq + i] = batch.records[i].value;
    }
  }
  static Values ValuesOf(StoreScan& scan) {
    Values values;
    BatchCodec codec;
    for (const FoundBatch& found : scan.batches()) {
      const auto row = scan.Load(found);
      if (!row) continue;
      const auto batch = codec.Decode(row->body);
      EXPECT_TRUE(batch.ok());
      for (size_t i = 0; i < batch->records.size(); ++i)
        EXPECT_TRUE(values.emplace(batch->first_seq + i, batch->records[i].value).second);
    }
    return values;
  }
  // Whatever is missing is named as lost; nothing else is there than what was stored once.
  void ExpectAccounted(StoreScan& scan) const {
    const Values values = ValuesOf(scan);
    const auto lost = scan.Lost(0);
    for (const auto& [seq, value] : stored) {
      const auto found = values.find(seq);
      if (found != values.end()) {
        EXPECT_EQ(found->second, value);
        continue;
      }
      EXPECT_TRUE(std::ranges::any_of(
          lost,
          [&, seq = seq](const LostSeqs& seqs) { return seq >= seqs.first && seq <= seqs.last; }))
          << "seq " << seq << " is missing and not named";
    }
  }

  FleetSource fleet;
  Values stored;
};

TEST_F(StoreScanTest, ReadsASoundStoreToTheLastRow) {
  Fill(150);
  const std::string epoch = store().epoch();
  for (const bool running : {true, false}) {
    if (!running) Close();
    auto scan = StoreScan::Open(options.path, "");
    ASSERT_TRUE(scan.ok());
    (*scan)->Run();
    EXPECT_THAT((*scan)->findings(), IsEmpty());
    EXPECT_THAT((*scan)->Lost(0), IsEmpty());
    EXPECT_TRUE((*scan)->is_store());
    EXPECT_EQ(ValuesOf(**scan), stored);
    EXPECT_EQ((*scan)->state().find("epoch")->second, epoch);
    ASSERT_EQ((*scan)->letters().size(), 1u);
    EXPECT_EQ((*scan)->Letter((*scan)->letters().front().second)->payload, std::string(700, 'p'));
  }
}

TEST_F(StoreScanTest, FindsWhatIsNotOnADamagedPageWhicheverItIs) {
  Fill(80);
  Close();
  const std::string sound = Contents(options.path);
  MemoryBytes sound_bytes(sound);
  StoreScan first(sound_bytes, nullptr);
  first.Run();
  ASSERT_EQ(ValuesOf(first).size(), stored.size());
  size_t least = stored.size();
  for (size_t page = 0; page < sound.size() / kPageBytes; ++page) {
    for (int damage = 0; damage < 4; ++damage) {
      SCOPED_TRACE(testing::Message() << "page " << page + 1 << ", damage " << damage);
      std::string bytes = sound;
      char* const at = &bytes[page * kPageBytes];
      if (damage == 0) std::fill_n(at, kPageBytes, '\0');
      if (damage == 1) std::fill_n(at, kPageBytes, '\xff');
      if (damage == 2) at[page * 37 % kPageBytes] ^= static_cast<char>(1 << page % 8);
      if (damage == 3) at[page * 11 % 24] ^= static_cast<char>(1 << page % 7);
      MemoryBytes damaged(bytes);
      StoreScan scan(damaged, nullptr);
      scan.Run();
      ExpectAccounted(scan);
      // A page holds a few rows at most.
      least = std::min(least, ValuesOf(scan).size());
      if (HasFailure()) return;
    }
  }
  EXPECT_GE(least + 60, stored.size());
}

TEST_F(StoreScanTest, FindsWhatIsBeforeTheCutWhereverItIs) {
  Fill(60);
  Close();
  const std::string sound = Contents(options.path);
  for (size_t size = 0; size < sound.size(); size += kPageBytes / 2) {
    MemoryBytes cut(std::string_view(sound).substr(0, size));
    StoreScan scan(cut, nullptr);
    scan.Run();
    const Values values = ValuesOf(scan);
    EXPECT_TRUE(std::ranges::includes(stored, values));
  }
}

}  // namespace
}  // namespace tidegate
