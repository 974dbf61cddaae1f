// What a store promises of dead letters: sizes, what is cut and declared, and what they cost
// others.
#include "store/dead_letter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "store/inspect.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kMiB = 1ull << 20;

class DeadLetterTest : public testing::Test, public SqliteStoreFixture {
 protected:
  static DeadLetter Letter(size_t payload_bytes) {
    return MakeRecordLetter({"uplink", "topic", "refused", std::string(payload_bytes, 'x')}, {});
  }
  Result<Seq> Append(const DeadLetter& letter, bool of_stored_records = false) {
    AppendRequest request;
    request.dead_letters = {&letter, 1};
    request.of_stored_records = of_stored_records;
    request.stamp = StampNow(clock);
    return store().Append(request);
  }
  std::vector<DeadLetter> Letters() {
    std::vector<DeadLetter> letters;
    const auto visited =
        ForEachDeadLetter(options.path, std::nullopt, [&](int64_t, const DeadLetter& letter) {
          letters.push_back(letter);
          return true;
        });
    EXPECT_TRUE(visited.ok()) << visited.error().message;
    return letters;
  }
  // The values of all gap records that Next returns.
  std::vector<std::string> Gaps() {
    std::vector<std::string> gaps;
    for (const Batch& batch : ReadAll(store())) {
      if (batch.record_class != RecordClass::kGap) continue;
      for (const Record& record : batch.records) gaps.push_back(record.value);
    }
    return gaps;
  }
  uint64_t DeclaredLetters() {
    uint64_t count = 0;
    for (const std::string& gap : Gaps()) {
      EXPECT_THAT(gap, HasSubstr(R"("class":"dead_letter","count":)"));
      EXPECT_THAT(gap, HasSubstr(R"("reason":"dead letters full")"));
      count += std::stoull(gap.substr(gap.find("\"count\":") + 8));
    }
    return count;
  }
  uint64_t Syncs() {
    const std::string text = metrics->Text();
    const std::string name = "\ntidegate_store_syncs_total ";
    return std::stoull(text.substr(text.find(name) + name.size()));
  }
  // Appends until the store has no room for more. REQUIRES: the policy is kStopReading.
  void FillUp() {
    while (true) {
      const auto appended = AppendBatch(store(), fleet.Take(400), StampNow(clock));
      if (appended.ok()) continue;
      ASSERT_EQ(appended.error().code, ErrorCode::kFull) << appended.error().message;
      return;
    }
  }

  FleetSource fleet;
};

TEST_F(DeadLetterTest, WhatIsNoRecordIsCutWhereTheLetterIsMadeAndSaysSo) {
  const std::string large(3 * kMaxUnparsedBytes, 'x');
  const DeadLetter letter = MakeDeadLetter({large, large, large, large}, {});
  EXPECT_THAT(letter.input, SizeIs(kMaxLetterTextBytes));
  EXPECT_THAT(letter.origin, SizeIs(kMaxLetterTextBytes));
  EXPECT_THAT(letter.reason, SizeIs(kMaxLetterTextBytes));
  EXPECT_THAT(letter.payload, SizeIs(kMaxUnparsedBytes));
  EXPECT_EQ(letter.payload_bytes(), large.size());
  EXPECT_TRUE(letter.truncated());
  EXPECT_FALSE(MakeDeadLetter({"in", "topic", "no JSON", "x"}, {}).truncated());
}

TEST_F(DeadLetterTest, ATextIsCutBetweenTwoCharacters) {
  std::string text(kMaxLetterTextBytes - 1, 'x');
  EXPECT_EQ(CutLetterText(text + "\xe2\x82\xac"), text);
  EXPECT_THAT(CutLetterText(std::string(2000, '\x80')), SizeIs(testing::Ge(1020U)));
}

TEST_F(DeadLetterTest, ALetterOfAnySizeIsStoredAloneInAStoreOfAnySize) {
  for (const uint64_t max_bytes : {kMiB, 8 * kMiB, 256 * kMiB}) {
    SCOPED_TRACE(max_bytes);
    options.max_bytes = max_bytes;
    options.path = dir.File(std::to_string(max_bytes));
    Reopen();
    for (const size_t bytes : {0, 1, 1'000, 40'000, 230'000, 3'000'000}) {
      DeadLetter letter = Letter(bytes);
      letter.input = letter.origin = letter.reason = std::string(230'000, 'r');
      ASSERT_TRUE(Append(letter).ok()) << bytes;
      const DeadLetter stored = Letters().back();
      EXPECT_EQ(stored.payload_bytes(), bytes);
      EXPECT_EQ(stored.truncated(), stored.payload.size() < bytes);
      EXPECT_THAT(stored.reason, SizeIs(kMaxLetterTextBytes));
    }
    EXPECT_THAT(metrics->Text(), HasSubstr("tidegate_store_dead_letters_truncated_total "));
    EXPECT_GT(store().Usage().dead_letters_truncated, 0U);
    Close();
    EXPECT_THAT(Verify(options.path)->findings, IsEmpty());
  }
}

TEST_F(DeadLetterTest, ARecordThatTheBrokerRefusedStaysWhole) {
  options.max_bytes = 8 * kMiB;
  Reopen();
  ASSERT_TRUE(Append(Letter(200'000), true).ok());
  EXPECT_THAT(Letters().back().payload, SizeIs(200'000));
  EXPECT_FALSE(Letters().back().truncated());
  EXPECT_EQ(store().Usage().dead_letters_truncated, 0U);
}

TEST_F(DeadLetterTest, DroppedLettersAreDeclaredAtMostOnceAMinute) {
  options.max_dead_letter_bytes = 10'000;
  Reopen();
  for (int second = 0; second < 150; ++second) {
    ASSERT_TRUE(Append(Letter(950)).ok());
    ReadAll(store());  // What was returned grows no more.
    clock.since_boot += std::chrono::seconds(1);
  }
  EXPECT_EQ(store().Usage().dead_letters, 10U);
  EXPECT_EQ(store().Usage().dead_letters_dropped, 140U);
  EXPECT_THAT(Gaps(), SizeIs(3));
  EXPECT_LT(DeclaredLetters(), 140U);
  clock.since_boot += std::chrono::minutes(1);
  ASSERT_TRUE(AppendBatch(store(), fleet.Take(1), StampNow(clock)).ok());
  EXPECT_EQ(DeclaredLetters(), 140U);
  EXPECT_THAT(log_lines, Contains(HasSubstr("dead letters are at their limit of 10000 bytes")));
}

TEST_F(DeadLetterTest, WhatIsNotDeclaredYetSurvivesARestart) {
  options.max_dead_letter_bytes = 10'000;
  Reopen();
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(Append(Letter(950)).ok());
  EXPECT_EQ(DeclaredLetters(), 1U);
  Reopen();
  ASSERT_TRUE(AppendBatch(store(), fleet.Take(1), StampNow(clock)).ok());
  EXPECT_EQ(DeclaredLetters(), 20U);
}

TEST_F(DeadLetterTest, LettersDropOlderLettersBeforeAnyRecord) {
  options.max_bytes = kMiB;
  options.full = FullPolicy::kStopReading;
  Reopen();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append(Letter(5'000)).ok());
  FillUp();
  const uint64_t records = store().Usage().total_records();
  options.full = FullPolicy::kDropOldest;
  Reopen();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Append(Letter(5'000)).ok());
  EXPECT_GE(store().Usage().total_records(), records) << "the gap record comes on top";
}

// Deliveries make the room, and the delivery of a refused record waits for its letter.
TEST_F(DeadLetterTest, ALetterOfAStoredRecordNeverWaitsForRoom) {
  options.max_bytes = 8 * kMiB;
  options.full = FullPolicy::kStopReading;
  Reopen();
  FillUp();
  EXPECT_EQ(Append(Letter(20'000)).error().code, ErrorCode::kFull) << "a source can wait";
  uint64_t refused = 0;
  for (int i = 0; i < 100; ++i) {
    DeadLetter letter = Letter(i % 10 == 0 ? 200'000 : 20'000);
    auto appended = Append(letter, true);
    if (!appended.ok()) {
      ASSERT_EQ(appended.error().code, ErrorCode::kRejected);
      ++refused;
      DropPayload(letter);
      appended = Append(letter, true);
    }
    ASSERT_TRUE(appended.ok()) << i << ": " << appended.error().message;
  }
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(Letters().back().payload_bytes(), 20'000U);
  // Deliveries still find the room that they need.
  for (const Batch& batch : ReadAll(store()))
    store().Delivered(batch.record_class, batch.first_seq);
  ASSERT_TRUE(store().Flush().ok());
  EXPECT_TRUE(AppendBatch(store(), fleet.Take(100), StampNow(clock)).ok());
}

TEST_F(DeadLetterTest, LettersOfStoredRecordsNeedNoFsync) {
  Reopen();
  ASSERT_TRUE(Append(Letter(100)).ok());
  const uint64_t before = Syncs();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Append(Letter(100), true).ok());
  EXPECT_EQ(Syncs(), before);
  ASSERT_TRUE(Append(Letter(100)).ok());
  EXPECT_GT(Syncs(), before);
}

// How many times a handle is refused to sync its commits again.
int refusals_of_sync = 0;

int Authorize(void*, int action, const char* name, const char* value, const char*, const char*) {
  const bool syncs = action == SQLITE_PRAGMA && value != nullptr &&
                     std::string_view(name) == "synchronous" && std::string_view(value) == "FULL";
  if (!syncs || refusals_of_sync == 0) return SQLITE_OK;
  --refusals_of_sync;
  return SQLITE_DENY;
}

int RefuseSync(sqlite3* db, char**, const struct sqlite3_api_routines*) {
  return sqlite3_set_authorizer(db, Authorize, nullptr);
}

TEST_F(DeadLetterTest, ACommitIsReportedAlthoughTheHandleCannotSyncAgain) {
  Reopen();
  Close();
  auto* const extension = reinterpret_cast<void (*)()>(RefuseSync);
  ASSERT_EQ(sqlite3_auto_extension(extension), SQLITE_OK);
  Reopen();
  sqlite3_cancel_auto_extension(extension);
  refusals_of_sync = 1;
  EXPECT_TRUE(Append(Letter(100), true).ok()) << "a second try would write it twice";
  EXPECT_EQ(refusals_of_sync, 0);
  const uint64_t before = Syncs();
  ASSERT_TRUE(Append(Letter(100)).ok());
  EXPECT_GT(Syncs(), before) << "the handle was replaced by one that syncs";
  EXPECT_THAT(Letters(), SizeIs(2));
}

TEST_F(DeadLetterTest, APowerCutTakesNoLetterBeforeItGivesTheRecordBack) {
  uint64_t with_record = 0, with_letter = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    FaultVfs vfs("power", seed);
    SqliteStoreFixture world;
    world.options.vfs = vfs.name();
    Store& store = world.Reopen();
    ASSERT_TRUE(AppendBatch(store, fleet.Take(1)).ok());
    ReadAll(store);
    const DeadLetter letter = Letter(500);
    AppendRequest request;
    request.dead_letters = {&letter, 1};
    request.of_stored_records = true;
    ASSERT_TRUE(store.Append(request).ok());
    store.Delivered(RecordClass::kHeartbeat, 1);
    ASSERT_TRUE(store.Flush().ok());
    vfs.CutPower();
    world.Close();
    vfs.RestorePower(seed);
    const StoreUsage usage = world.Reopen().Usage();
    EXPECT_GT(usage.total_records() + usage.dead_letters, 0U);
    with_record += usage.total_records();
    with_letter += usage.dead_letters;
    world.Close();
  }
  EXPECT_GT(with_record, 0U);
  EXPECT_GT(with_letter, 0U);
}

TEST_F(DeadLetterTest, TheFileOfVersion2KeepsItsLettersAndTakesSizes) {
  std::filesystem::copy_file(std::string(GOLDEN_DIR) + "/store_v2.db", options.path);
  // Before an agent has migrated it, tools read it as it is.
  const std::vector<DeadLetter> before = Letters();
  ASSERT_THAT(before, SizeIs(2));
  EXPECT_EQ(before[0].payload, "no JSON");
  EXPECT_FALSE(before[1].truncated());
  Reopen();
  EXPECT_EQ(store().Usage().total_records(), 5U);
  DeadLetter letter = Letter(100);
  letter.whole_bytes = 70'000;
  ASSERT_TRUE(Append(letter).ok());
  const std::vector<DeadLetter> after = Letters();
  ASSERT_THAT(after, SizeIs(3));
  EXPECT_EQ(after[0].payload, before[0].payload);
  EXPECT_EQ(after[2].payload_bytes(), 70'000U);
  Close();
  EXPECT_THAT(Verify(options.path)->findings, IsEmpty());
}

// What version 2 sees of a file of this version: it may open it, and writes rows without the size.
TEST_F(DeadLetterTest, AnEarlierVersionMayUseTheFile) {
  Reopen();
  ASSERT_TRUE(Append(Letter(100)).ok());
  Close();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(options.path.c_str(), &db), SQLITE_OK);
  const char* const kVersion2 =
      "INSERT INTO dead_letter(time, input, origin, reason, payload) VALUES(1, 'in', 'o', 'r', "
      "x'78');"
      "CREATE TEMP TABLE least AS SELECT CAST(body AS TEXT) AS body FROM state WHERE "
      "name='least_version' AND CAST(CAST(body AS TEXT) AS INTEGER) <= 2;";
  EXPECT_EQ(sqlite3_exec(db, kVersion2, nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(db);
  sqlite3_stmt* least = nullptr;
  sqlite3_prepare_v2(db, "SELECT count(*) FROM least", -1, &least, nullptr);
  ASSERT_EQ(sqlite3_step(least), SQLITE_ROW);
  EXPECT_EQ(sqlite3_column_int(least, 0), 1);
  sqlite3_finalize(least);
  sqlite3_close(db);
  Reopen();
  EXPECT_THAT(Letters(), SizeIs(2));
}

TEST_F(DeadLetterTest, SalvageKeepsTheSizes) {
  Reopen();
  ASSERT_TRUE(AppendBatch(store(), fleet.Take(3), StampNow(clock)).ok());
  DeadLetter letter = Letter(1'000);
  letter.whole_bytes = 70'000;
  ASSERT_TRUE(Append(letter).ok());
  Close();
  FILE* const file = fopen(options.path.c_str(), "r+b");
  fputs("no database any more", file);
  fclose(file);
  Reopen();
  ASSERT_THAT(Letters(), SizeIs(1));
  EXPECT_EQ(Letters()[0].payload_bytes(), 70'000U);
  EXPECT_TRUE(Letters()[0].truncated());
}

}  // namespace
}  // namespace tidegate
