// Kafka is polled also while the database is unreachable or slow.
#include "tests/reader/land/worker_fixture.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(WorkerTest, DuringAnHourWithoutTheDatabaseKafkaIsPolledWellInsideItsLimit) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  store_.TakeDown();
  StepUntilDue();
  const BootTime end = clock_.SinceBoot() + std::chrono::hours(1);
  while (clock_.SinceBoot() < end) {
    const size_t polls = source_.polls();
    clock_.Advance(seconds(35));  // An attempt that waits for all the limits of time.
    Step();
    EXPECT_GT(source_.polls(), polls);
  }
  EXPECT_TRUE(source_.paused());
  EXPECT_EQ(State().pending, 1u);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_TRUE(dead_letters_.letters().empty());
  store_.Restore();
  StepThroughABackoff();
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
}

class ManyTenants : public WorkerTest {
 protected:
  ManyTenants() {
    options_.batch_records = 40;
    options_.sparse_growth = 1;
    for (int i = 0; i < 40; ++i) {
      source_.Push(kHeartbeats0,
                   R"({"asset_id":"a","event_id":"e","tenant_id":"t)" + std::to_string(i) + "\"}");
    }
    store_.OnWrite([this] { clock_.Advance(seconds(29)); });
  }
  Decoder by_tenant_{{.tenancy = Tenancy::kDatabase},
                     StreamTable::Make({BuiltInStreams()[0]}).value()};
};

TEST_F(ManyTenants, ASlowDatabaseDoesNotKeepTheWorkerFromPolling) {
  Worker slow(options_,
              {source_, store_, projections_, dead_letters_, by_tenant_, clock_, log_,
               reader_metrics_, board_},
              0, 7);
  while (store_.count() < 40) {
    const BootTime began = clock_.SinceBoot();
    ASSERT_TRUE(slow.Step(milliseconds(0)).ok());
    ASSERT_LT(clock_.SinceBoot() - began, seconds(150));  // Half of max.poll.interval.ms.
  }
  EXPECT_EQ(store_.writes(), 3u) << "nothing is written twice";
  EXPECT_EQ(source_.stored(kHeartbeats0), 40);
  EXPECT_FALSE(source_.paused());
  EXPECT_TRUE(dead_letters_.letters().empty());
}

TEST_F(ManyTenants, PartitionsThatAreRevokedAreNotHeldForASlowDatabase) {
  options_.batch_records = 1'000;
  Worker slow(options_,
              {source_, store_, projections_, dead_letters_, by_tenant_, clock_, log_,
               reader_metrics_, board_},
              0, 7);
  ASSERT_TRUE(slow.Step(milliseconds(0)).ok());
  EXPECT_EQ(State().pending, 40u);
  source_.Revoke({kHeartbeats0, kHeartbeats1});
  const BootTime began = clock_.SinceBoot();
  ASSERT_TRUE(slow.Step(milliseconds(0)).ok());
  EXPECT_LT(clock_.SinceBoot() - began, seconds(40));
  EXPECT_EQ(store_.writes(), 1u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1) << "what was landed in time is not read again";
}

}  // namespace
}  // namespace tidegate::reader
