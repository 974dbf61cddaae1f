#include "uplink/restamp.h"

#include <gtest/gtest.h>

#include <string>

#include "core/time_format.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const std::string kBoot(32, 'b');
const std::string kOtherBoot(32, 'c');
const WallTime kNow = std::chrono::sys_days{std::chrono::year{2026} / 11 / 24};

// A boot that began in 1970 and whose clock was set, so that its beginning is kNow.
class RestampTest : public testing::Test {
 protected:
  RestampTest() {
    history_.Learn(kBoot, kNow.time_since_epoch());
    batch_.first_seq = 1;
    batch_.stamp = {.boot_id = kBoot, .since_boot = 60s, .wall = WallTime(60s), .synced = false};
  }
  Record& Add(milliseconds time) {
    Record record;
    record.time = WallTime(time);
    record.tenant = "acme";
    record.asset = "truck-1";
    record.value = R"({"tenant_id":"acme","asset_id":"truck-1","timestamp":")" +
                   FormatTime(record.time) + R"(","t":1})";
    batch_.records.push_back(record);
    return batch_.records.back();
  }
  std::optional<Record> Restamped(size_t index = 0) { return Restamp(batch_, index, history_); }

  ClockHistory history_;
  Batch batch_;
};

TEST_F(RestampTest, AnArrivalIsDatedByItsTimeSinceBoot) {
  Add(59'000ms);
  Add(59'500ms);
  batch_.arrivals.resize(2);
  batch_.arrivals[0].since_boot = 58'100ms;
  batch_.arrivals[1].since_boot = 58'600ms;
  EXPECT_EQ(Restamped(0)->time, kNow + 58'100ms);
  EXPECT_EQ(Restamped(1)->time, kNow + 58'600ms);
  EXPECT_EQ(
      Restamped(1)->value,
      R"({"tenant_id":"acme","asset_id":"truck-1","timestamp":"2026-11-24T00:00:58.600Z","t":1})");
  EXPECT_TRUE(Restamped(1)->clock_synced);
  EXPECT_EQ(Restamped(1)->time_source, TimeSource::kGateway);
}

TEST_F(RestampTest, WithoutArrivalsByHowLongBeforeTheCommitItWasMade) {
  Add(59'800ms);
  EXPECT_EQ(Restamped()->time, kNow + 59'800ms);
}

TEST_F(RestampTest, AStepBetweenARecordAndItsCommitCountsAsNoWait) {
  for (const milliseconds step : {milliseconds(1h), milliseconds(std::chrono::years(56)),
                                  milliseconds(-1h), milliseconds(-std::chrono::years(10))}) {
    batch_.records.clear();
    Add(59'800ms);
    batch_.stamp.wall = WallTime(60s) + step;
    EXPECT_EQ(Restamped()->time, kNow + 60s) << step.count();
  }
}

TEST_F(RestampTest, WhatTheSourceOrARightClockDatedIsNotTouched) {
  Add(59'000ms).time_source = TimeSource::kSource;
  Add(59'000ms).clock_synced = true;
  EXPECT_FALSE(Restamped(0));
  EXPECT_FALSE(Restamped(1));
}

TEST_F(RestampTest, ABootWhoseClockNeverWasRightStaysAsItIs) {
  Add(59'000ms);
  batch_.stamp.boot_id = kOtherBoot;
  EXPECT_FALSE(Restamped());
  history_.Learn(kOtherBoot, 1'000ms);
  EXPECT_EQ(Restamped()->time, WallTime(60'000ms));
}

TEST_F(RestampTest, AnAlertKeepsTheTimeThatNamesIt) {
  Record& alert = Add(59'000ms);
  alert.record_class = batch_.record_class = RecordClass::kAlert;
  alert.value =
      R"({"tenant_id":"acme","asset_id":"truck-1","timestamp":"1970-01-01T00:00:59.000Z","rule":"hot",)"
      R"("status":"raised","raised_at":"1970-01-01T00:00:59.000Z"})";
  EXPECT_EQ(
      Restamped()->value,
      R"({"tenant_id":"acme","asset_id":"truck-1","timestamp":"2026-11-24T00:00:59.000Z","rule":"hot",)"
      R"("status":"raised","raised_at":"1970-01-01T00:00:59.000Z"})");
}

TEST_F(RestampTest, AValueThatDoesNotHoldItsTimeIsSentAsItIs) {
  Add(59'000ms).value = "{}";
  EXPECT_FALSE(Restamped());
}

}  // namespace
}  // namespace tidegate
