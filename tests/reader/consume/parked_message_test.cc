#include "reader/consume/parked_message.h"

#include <gtest/gtest.h>

#include "core/time_format.h"

namespace tidegate::reader {
namespace {

SourceMessage Record() {
  SourceMessage record;
  record.partition = {"telemetry.raw", 7};
  record.offset = 4711;
  record.timestamp = ParseTime("2025-06-23T00:37:01.250Z");
  record.key = "acme/truck-1";
  record.value = "{}";
  record.headers = {{"tg-id", "gw:1:7"}, {"x", ""}};
  return record;
}

// The message as it comes from the parking topic.
SourceMessage Park(const SourceMessage& record, const std::string& database, int64_t epoch = 0) {
  SourceMessage raw = record;
  raw.partition = {"telemetry.parked", 1};
  raw.offset = 3;
  raw.timestamp = ParseTime("2025-06-24T00:00:00.000Z");
  raw.key = database;
  raw.headers = ParkedHeaders(record, epoch, *raw.timestamp);
  return raw;
}

TEST(ParkedMessage, ARecordComesBackAsItWas) {
  const auto parked = ReadParked(Park(Record(), "fleet_acme"));
  ASSERT_TRUE(parked);
  EXPECT_EQ(parked->database, "fleet_acme");
  EXPECT_EQ(parked->record.partition, Record().partition);
  EXPECT_EQ(parked->record.offset, 4711);
  EXPECT_EQ(parked->record.timestamp, Record().timestamp);
  EXPECT_EQ(parked->record.key, Record().key);
  EXPECT_EQ(parked->record.value, Record().value);
  EXPECT_EQ(parked->record.headers, Record().headers);
}

TEST(ParkedMessage, TheEpochOfItsLogComesBack) {
  EXPECT_EQ(ReadParked(Park(Record(), "fleet_acme"))->epoch, 0);
  EXPECT_EQ(ReadParked(Park(Record(), "fleet_acme", 3))->epoch, 3);
  SourceMessage forged = Record();
  forged.headers = {{"tg-parked-epoch", "9"}};
  EXPECT_EQ(ReadParked(Park(forged, "fleet_acme"))->epoch, 0);
}

TEST(ParkedMessage, WhatARecordLacksItLacksAgain) {
  SourceMessage record = Record();
  record.key.reset();
  record.timestamp.reset();
  const auto parked = ReadParked(Park(record, "fleet_acme"));
  ASSERT_TRUE(parked);
  EXPECT_FALSE(parked->record.key);
  EXPECT_FALSE(parked->record.timestamp);
}

TEST(ParkedMessage, AProducersHeadersOfTheseNamesAreNotTakenForOurs) {
  SourceMessage record = Record();
  record.key.reset();
  record.headers = {{"tg-parked-key", "globex/x"}, {"tg-parked-offset", "1"}};
  const auto parked = ReadParked(Park(record, "fleet_acme"));
  ASSERT_TRUE(parked);
  EXPECT_FALSE(parked->record.key);
  EXPECT_EQ(parked->record.offset, 4711);
  EXPECT_TRUE(parked->record.headers.empty());
}

TEST(ParkedMessage, AForeignMessageIsNone) {
  EXPECT_FALSE(ReadParked(Record()));
  SourceMessage raw = Park(Record(), "");
  EXPECT_FALSE(ReadParked(raw));
  raw = Park(Record(), "fleet_acme");
  for (auto& [name, value] : raw.headers)
    if (name == kHeaderParkedOffset) value = "-1";
  EXPECT_FALSE(ReadParked(raw));
}

}  // namespace
}  // namespace tidegate::reader
