// A store whose files are damaged in every place there is: it opens, what is whole is there with
// its id, what is missing is declared, nothing is invented, and the damaged file is kept as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/store/salvage/salvage_fixture.h"

namespace tidegate {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST_F(SalvageTest, ASoundStoreIsLeftAlone) {
  Fill();
  EXPECT_EQ(OpenAndExpect(sound), 0u);
  EXPECT_EQ(Reopen().epoch(), epoch);
}

TEST_F(SalvageTest, LosesNoMoreThanTheDamagedPageWhicheverItIs) {
  Fill();
  size_t most = 0;
  for (size_t page = 0; page < sound.size() / kPageBytes; ++page) {
    for (int damage = 0; damage < 3; ++damage) {
      SCOPED_TRACE(testing::Message() << "page " << page + 1 << ", damage " << damage);
      std::string bytes = sound;
      char* const at = &bytes[page * kPageBytes];
      if (damage == 0) std::fill_n(at, kPageBytes, '\0');
      if (damage == 1) at[page * 37 % kPageBytes] ^= static_cast<char>(1 << page % 8);
      if (damage == 2) at[page * 11 % 24] ^= static_cast<char>(1 << page % 7);
      most = std::max(most, OpenAndExpect(bytes));
      if (HasFailure()) return;
    }
  }
  EXPECT_LE(most, 60u);
  EXPECT_GT(most, 0u);
}

TEST_F(SalvageTest, FindsWhatStandsBeforeTheEndOfATruncatedFile) {
  Fill();
  size_t last = stored.size();
  for (size_t size = 100; size < sound.size(); size += 3 * kPageBytes - 7) {
    SCOPED_TRACE(testing::Message() << size << " bytes");
    const size_t missing = OpenAndExpect(sound.substr(0, size));
    if (HasFailure()) return;
    last = missing;
  }
  EXPECT_LT(last, 40u);
}

TEST_F(SalvageTest, AForeignFileIsSetAsideAsItIs) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(options.path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "CREATE TABLE theirs(x); INSERT INTO theirs VALUES(1)", nullptr,
                         nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  for (const std::string& foreign : {std::string(5000, 'x'), Contents(options.path)}) {
    Place(foreign);
    Reopen();
    const Reading reading = Read(store());
    EXPECT_THAT(reading.records, IsEmpty());
    EXPECT_THAT(reading.own_alerts, SizeIs(2));
    const auto aside = ListSetAside(options.path);
    ASSERT_THAT(aside, SizeIs(1));
    EXPECT_EQ(aside.front().aside, Aside::kForeign);
    EXPECT_EQ(Contents(aside.front().path), foreign);
  }
}

TEST_F(SalvageTest, AStoreThatLostItsApplicationIdIsStillAStore) {
  Fill();
  std::string bytes = sound;
  std::fill_n(&bytes[68], 4, '\x11');
  EXPECT_EQ(OpenAndExpect(bytes), 0u);
}

TEST_F(SalvageTest, LettersValuesAndMarksComeAlong) {
  Fill();
  std::string bytes = sound;
  bytes[0] = 'X';
  Place(bytes);
  Reopen();
  EXPECT_NE(store().epoch(), epoch);
  EXPECT_EQ(*store().ReadValue("budget"), "42 bytes");
  EXPECT_EQ(store().Usage().dead_letters, 1u);
  // What the old store had delivered and kept for replay is not sent again.
  EXPECT_EQ(Read(store()).records, stored);
}

TEST_F(SalvageTest, ARowOfTableStateWithoutANameIsLeftOut) {
  Fill();
  Place(sound);
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(options.path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "INSERT INTO state VALUES('', x'01')", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  std::string bytes = Contents(options.path);
  bytes[0] = 'X';
  EXPECT_EQ(OpenAndExpect(bytes), 0u);
}

TEST_F(SalvageTest, ASecondSalvageKeepsTheIdsOfTheFirst) {
  Fill();
  Place(sound);
  for (int round = 0; round < 3; ++round) {
    clock.now += std::chrono::minutes(1);
    std::string bytes = Contents(options.path);
    bytes[0] = 'X';
    Write(options.path, bytes);
    Reopen();
    EXPECT_EQ(Read(store()).records, stored);
    Close();
  }
  EXPECT_THAT(ListSetAside(options.path), SizeIs(3));
}

TEST_F(SalvageTest, WhatHasNoRoomInTheNewStoreIsKeptAndToldToTheRecord) {
  options.max_bytes = 4 << 20;
  Reopen();
  for (int i = 0; i < 1500; ++i) {
    const auto record_class = i % 2 == 0 ? RecordClass::kHeartbeat : RecordClass::kReading;
    ASSERT_TRUE(AppendBatch(store(), fleet.Take(20, record_class), StampNow()).ok());
  }
  stored = Read(store()).records;
  epoch = store().epoch();
  Close();
  std::string damaged = Contents(options.path);
  damaged[kPageBytes * 20] = '\xff';  // Page 21 is none.
  options.max_bytes = 1 << 20;
  Place(damaged);
  Reopen();
  const size_t missing = ExpectSalvaged(damaged);
  EXPECT_GT(missing, stored.size() / 4);
  EXPECT_LT(missing, stored.size());
  EXPECT_EQ(ListSetAside(options.path).front().aside, Aside::kKept);
  uint64_t told = 0;
  const std::vector<std::string> gaps = Read(store()).gaps;
  for (const std::string& gap : gaps) {
    std::smatch match;
    ASSERT_TRUE(std::regex_search(gap, match, std::regex(R"("count":(\d+))"))) << gap;
    told += std::stoull(match[1]);
  }
  EXPECT_EQ(told, missing) << testing::PrintToString(gaps);
}

TEST_F(SalvageTest, OldDamagedFilesMakeRoomAndForeignOnesStay) {
  Fill();
  Place(std::string(5000, 'x'));
  for (int round = 0; round < 6; ++round) {
    clock.now += std::chrono::minutes(1);
    Reopen();
    Close();
    Write(options.path, std::string(sound).replace(0, 1, "X"));
  }
  const auto aside = ListSetAside(options.path);
  ASSERT_THAT(aside, SizeIs(1 + kMaxSetAside));
  EXPECT_EQ(aside.front().aside, Aside::kForeign);
  EXPECT_EQ(aside.back().aside, Aside::kDamaged);
}

// A crash in the middle of the change leaves either the old file or the new store.
TEST_F(SalvageTest, AReplacementThatWasCutShortIsEnded) {
  Fill();
  for (int done = 0; done < 3; ++done) {
    Place(std::string(sound).replace(0, 1, "X"));
    Write(options.path + "-wal", "log");
    const std::string name = ".damaged-20250101T000000Z";
    Write(options.path + ".ready" + name, sound);
    if (done > 0) std::filesystem::rename(options.path + "-wal", options.path + name + "-wal");
    if (done > 1) std::filesystem::rename(options.path, options.path + name);
    EXPECT_EQ(Reopen().epoch(), epoch);
    EXPECT_EQ(Read(store()).records, stored);
    EXPECT_EQ(Contents(options.path + name), std::string(sound).replace(0, 1, "X"));
    EXPECT_EQ(Contents(options.path + name + "-wal"), "log");
  }
}

}  // namespace
}  // namespace tidegate
