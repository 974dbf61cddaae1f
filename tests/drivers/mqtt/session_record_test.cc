#include "drivers/mqtt/session_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/memory_notes.h"

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SessionRecordTest : public testing::Test {
 protected:
  // A process that subscribes to `filter`, on a connection of its own.
  SessionRecord Start(const std::string& filter, bool resumed = true,
                      const std::string& session = "gw@a:1883") {
    SessionRecord record("mqtt.local", session, filter, notes_);
    EXPECT_TRUE(record.Load().ok());
    lost_ = record.Begin(resumed);
    EXPECT_TRUE(record.Save().ok());
    return record;
  }

  MemoryNotes notes_;
  bool lost_ = false;
};

TEST_F(SessionRecordTest, TheFirstSessionIsNewAndNotLost) {
  EXPECT_THAT(Start("a/+", /*resumed=*/false).OldFilters(), IsEmpty());
  EXPECT_FALSE(lost_);
}

TEST_F(SessionRecordTest, AFilterOfAnEarlierProcessIsOldUntilItsRemovalIsConfirmed) {
  Start("fleet/#", /*resumed=*/false);
  EXPECT_THAT(Start("fleet/acme/#").OldFilters(), ElementsAre("fleet/#"));
  SessionRecord record = Start("fleet/acme/#");
  EXPECT_THAT(record.OldFilters(), ElementsAre("fleet/#")) << "nothing was confirmed";
  record.Removed("fleet/#");
  ASSERT_TRUE(record.Save().ok());
  EXPECT_THAT(Start("fleet/acme/#").OldFilters(), IsEmpty());
}

TEST_F(SessionRecordTest, ANewSessionHasNoOldFiltersAndALostOneIsTold) {
  Start("a", /*resumed=*/false);
  EXPECT_THAT(Start("b", /*resumed=*/false).OldFilters(), IsEmpty());
  EXPECT_TRUE(lost_);
  Start("b");
  EXPECT_FALSE(lost_);
}

TEST_F(SessionRecordTest, AnotherSessionIsNotLostAndItsFiltersAreRemovedHereToo) {
  Start("a", /*resumed=*/false);
  SessionRecord record = Start("b", /*resumed=*/false, "gw@b:1883");
  EXPECT_FALSE(lost_);
  EXPECT_THAT(record.OldFilters(), ElementsAre("a")) << "the broker may have two names";
  record.Removed("a");
  ASSERT_TRUE(record.Save().ok());
  EXPECT_THAT(Start("b").OldFilters(), ElementsAre("a")) << "the first broker still has it";
}

TEST_F(SessionRecordTest, NothingIsWrittenWhenNothingChanges) {
  Start("a", /*resumed=*/false);
  Start("a");
  Start("a");
  EXPECT_EQ(notes_.writes, 1);
}

TEST_F(SessionRecordTest, AReplacedStoreIsToldAgain) {
  SessionRecord record = Start("a", /*resumed=*/false);
  notes_.texts.clear();
  ASSERT_TRUE(record.Load().ok());
  EXPECT_FALSE(record.Begin(true));
  ASSERT_TRUE(record.Save().ok());
  EXPECT_EQ(notes_.texts.size(), 1U);
}

TEST_F(SessionRecordTest, WhatIsKnownIsBounded) {
  for (size_t i = 0; i < 3 * SessionRecord::kMostSubscriptions; ++i) Start(std::to_string(i));
  EXPECT_EQ(Start("last").OldFilters().size(), SessionRecord::kMostSubscriptions - 1);
}

TEST_F(SessionRecordTest, FiltersOfAnyBytesSurvive) {
  const std::string filter = "a/\"\\\x01\t\xc3\xa4/" + std::string(65'000, 'x');
  Start(filter, /*resumed=*/false);
  EXPECT_THAT(Start("b").OldFilters(), ElementsAre(filter));
}

TEST_F(SessionRecordTest, ADamagedNoteIsReplaced) {
  for (const char* text : {"", "x", "[]", "{\"subscriptions\":7}", "{\"subscriptions\":[7,{}]}"}) {
    notes_.texts["mqtt.local"] = text;
    EXPECT_THAT(Start("a").OldFilters(), IsEmpty()) << text;
  }
}

TEST_F(SessionRecordTest, NotesThatCannotBeReadLeaveWhatIsKnown) {
  Start("a", /*resumed=*/false);
  SessionRecord record = Start("b");
  notes_.broken = true;
  EXPECT_FALSE(record.Load().ok());
  EXPECT_FALSE(record.Begin(true));
  EXPECT_THAT(record.OldFilters(), ElementsAre("a"));
  record.Removed("a");
  EXPECT_FALSE(record.Save().ok());
}

}  // namespace
}  // namespace tidegate
