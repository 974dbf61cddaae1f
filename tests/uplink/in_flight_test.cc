#include "uplink/in_flight.h"

#include <gtest/gtest.h>

#include "core/metrics.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_store.h"

namespace tidegate {
namespace {

class InFlightTest : public ::testing::Test {
 protected:
  InFlightTest() { in_flight_.SetConnected(true); }
  size_t SendWhileThereIsRoom(bool urgent) {
    size_t sent = 0;
    for (; in_flight_.HasRoom(urgent); ++sent) in_flight_.Sent(100);
    return sent;
  }

  FakeClock clock_;
  MemoryStore store_;
  Log log_{LogLevel::kError};
  Metrics metrics_;
  SendGate gate_{{}, store_, clock_, log_, metrics_};
  InFlight in_flight_{{.max_records = 8, .max_bytes = 10'000, .max_records_unreachable = 2}, gate_};
};

using InFlightDeathTest = InFlightTest;

TEST_F(InFlightTest, UrgentRecordsHaveAQuarterMore) {
  EXPECT_EQ(SendWhileThereIsRoom(false), 8U);
  EXPECT_EQ(SendWhileThereIsRoom(true), 2U);
}

TEST_F(InFlightTest, AFullLimitIsRefilledFromItsHalf) {
  SendWhileThereIsRoom(false);
  for (int i = 0; i < 3; ++i) in_flight_.Returned(100);
  in_flight_.Refill(0, 0);
  EXPECT_FALSE(in_flight_.HasRoom(false));
  in_flight_.Returned(100);
  in_flight_.Refill(0, 0);
  EXPECT_EQ(SendWhileThereIsRoom(false), 4U);
}

TEST_F(InFlightTest, WhatIsHeldKeepsNobodyWaitingForHalfOfTheLimit) {
  SendWhileThereIsRoom(false);
  in_flight_.Returned(100);
  in_flight_.Refill(5, 500);
  EXPECT_FALSE(in_flight_.HasRoom(false));
  in_flight_.Returned(100);
  in_flight_.Refill(5, 500);  // One of the three that are left for the others is in flight.
  EXPECT_EQ(SendWhileThereIsRoom(false), 2U);
}

TEST_F(InFlightTest, FewRecordsAreSentWhileNoBrokerAnswers) {
  in_flight_.SetConnected(false);
  EXPECT_EQ(SendWhileThereIsRoom(false), 2U);
}

TEST_F(InFlightTest, AbandonedRecordsAreReportedOnFirst) {
  in_flight_.Sent(100);
  in_flight_.Abandon();
  EXPECT_FALSE(in_flight_.none());
  EXPECT_EQ(in_flight_.bytes(), 0U);
  EXPECT_TRUE(in_flight_.TakeStale());
  EXPECT_FALSE(in_flight_.TakeStale());
  EXPECT_TRUE(in_flight_.none());
}

TEST_F(InFlightDeathTest, NoMoreComesBackThanWasSent) {
  EXPECT_DEATH(in_flight_.Returned(0), "a report is for a record in flight");
  in_flight_.Sent(100);
  EXPECT_DEATH(in_flight_.Returned(101), "no more bytes than are in flight");
  EXPECT_DEATH(in_flight_.Returned(99), "no record in flight, no bytes in flight");
}

TEST_F(InFlightDeathTest, ANewEpochWaitsForTheReportsOfThePreviousOne) {
  in_flight_.Sent(100);
  in_flight_.Abandon();
  EXPECT_DEATH(in_flight_.Sent(100), "a new epoch sends after the last report");
}

}  // namespace
}  // namespace tidegate
