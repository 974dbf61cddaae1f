#include "agent/pipeline/pending.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate {
namespace {

Record MakeRecord(RecordClass record_class, std::string value) {
  Record record;
  record.record_class = record_class;
  record.value = std::move(value);
  return record;
}

TEST(PendingTest, WhatIsTakenIsInTheOrderOfArrivalWithoutAlerts) {
  Pending pending;
  pending.Add(MakeRecord(RecordClass::kReading, "first"), {});
  pending.AddAlert(MakeRecord(RecordClass::kAlert, "alert"), RuleChange::kRaised);
  pending.Add(MakeRecord(RecordClass::kHeartbeat, "second"), {});
  pending.AddDeadLetter({.input = "i", .origin = "", .reason = "", .payload = "p", .time = {}});
  EXPECT_EQ(pending.records(), 3U);
  EXPECT_EQ(pending.arrivals(), 2U);
  const Pending::Contents taken = pending.Take();
  ASSERT_EQ(taken.records.size(), 2U);
  EXPECT_EQ(taken.records[0].first.value, "first");
  EXPECT_EQ(taken.records[1].first.value, "second");
  EXPECT_EQ(taken.records[1].second.position, 1U);
  EXPECT_EQ(taken.dead_letters.size(), 1U);
  EXPECT_TRUE(pending.empty());
  EXPECT_EQ(pending.bytes(), 0U);
}

TEST(PendingDeathTest, OnlyHeartbeatsAndReadingsArrive) {
  Pending pending;
  EXPECT_DEATH(pending.Add(MakeRecord(RecordClass::kGap, "{}"), {}), "heartbeats and readings");
  EXPECT_DEATH(pending.AddAlert(MakeRecord(RecordClass::kReading, "{}"), RuleChange::kRaised),
               "emits alerts");
}

}  // namespace
}  // namespace tidegate
