// What the forwarder makes of byte budgets and send windows.
#include <cstdlib>
#include <ctime>

#include "core/time_format.h"
#include "tests/uplink/forwarder_fixture.h"
#include "uplink/forwarder.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Period = BudgetLimit::Period;

class ForwarderGateTest : public ForwarderTest {
 protected:
  ForwarderGateTest() {
    setenv("TZ", "UTC0", 1);
    tzset();
    clock_.SetWall(*ParseTime("2026-03-01T12:00:00Z"));
  }
  void StoreKilobytes(size_t count) {
    Store(RecordClass::kHeartbeat,
          std::vector<Record>(
              count, MakeRecord(RecordClass::kHeartbeat, "truck-1", std::string(1000, 'x'))));
  }
};

TEST_F(ForwarderGateTest, AClosedWindowHoldsHeartbeatsAndReadingsBackAndLetsAlertsAndGapsPass) {
  options_.gate.windows = {{14h, 15h}};
  StoreHeartbeats(2);                                                            // 1, 2
  Store(RecordClass::kReading, {MakeRecord(RecordClass::kReading, "a", "{}")});  // 3
  Store(RecordClass::kGap, {MakeRecord(RecordClass::kGap, "gw-1", "{}")});       // 4
  StoreAlert();                                                                  // 5
  Start();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(5, 4));
  EXPECT_EQ(forwarder_->status().gate.passed, 2U);
  AckAll();
  EXPECT_TRUE(forwarder_->Resting());
  EXPECT_FALSE(forwarder_->Idle());
  EXPECT_EQ(Stored(), 3U);
}

TEST_F(ForwarderGateTest, ItBeginsByItselfWhenTheWindowOpens) {
  options_.gate.windows = {{14h, 15h}};
  StoreHeartbeats(2);
  Start();
  Wait(1h + 59min);
  EXPECT_THAT(transport_.pending(), IsEmpty());
  Wait(1min + 10s);
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2));
}

TEST_F(ForwarderGateTest, NoMoreThanTheBudgetOfAnHourGoesOut) {
  options_.gate.budgets = {{128 * 1024, Period::kHour}};
  StoreKilobytes(400);
  Start();
  AckAll();
  EXPECT_LE(transport_.LinkBytes(), 128u * 1024 + 1100);
  EXPECT_GE(transport_.LinkBytes(), 128u * 1024 - 1100);
  EXPECT_TRUE(forwarder_->Resting());
  Wait(1h + 10s);
  AckAll();
  EXPECT_LE(transport_.LinkBytes(), 256u * 1024 + 2200);
  EXPECT_GE(transport_.LinkBytes(), 256u * 1024 - 2200);
}

TEST_F(ForwarderGateTest, ARestartDoesNotRefillTheBudget) {
  options_.gate.budgets = {{128 * 1024, Period::kDay}};
  StoreKilobytes(400);
  Start();
  AckAll();
  Restart();
  AckAll();
  EXPECT_EQ(transport_.LinkBytes(), 0U);
}

TEST_F(ForwarderGateTest, AlertsPassAnEmptyBudgetAndAreCounted) {
  options_.gate.budgets = {{128 * 1024, Period::kDay}};
  StoreKilobytes(400);
  Start();
  AckAll();
  const uint64_t used = forwarder_->status().gate.budgets[0].used;
  StoreAlert();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(401));
  AckAll();
  EXPECT_GT(forwarder_->status().gate.budgets[0].used, used);
  EXPECT_EQ(forwarder_->status().gate.passed, 1U);
}

}  // namespace
}  // namespace tidegate
