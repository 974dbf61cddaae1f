#include "agent/salvage_steps.h"

#include <gtest/gtest.h>

#include <fstream>

#include "store/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;

class SalvageStepsTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteStore> Open() {
    SqliteStore::Options options;
    options.path = dir_.File("store.db");
    options.gateway = "gw-1";
    auto store = SqliteStore::Open(std::move(options), clock_, log_, metrics_);
    EXPECT_TRUE(store.ok());
    return store.ok() ? std::move(*store) : nullptr;
  }
  void DamageFile() {
    std::fstream file(dir_.File("store.db"), std::ios::in | std::ios::out | std::ios::binary);
    file << 'X';
  }

  TempDir dir_;
  FakeClock clock_;
  ManualLoop loop_{clock_};
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics metrics_;
  FleetSource fleet_;
  int steps_ = 0;
};

TEST_F(SalvageStepsTest, ASoundStoreArmsNoTimer) {
  const auto store = Open();
  const SalvageSteps steps(*store, loop_, clock_, [this] { ++steps_; });
  EXPECT_EQ(loop_.armed_timers(), 0U);
}

TEST_F(SalvageStepsTest, ADamagedStoreIsMovedInTurnsOfTheLoop) {
  auto store = Open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(AppendBatch(*store, fleet_.Take(5)).ok());
  store.reset();
  DamageFile();
  store = Open();
  ASSERT_FALSE(store->IsReady());
  int ready_at = 0;
  const SalvageSteps steps(*store, loop_, clock_, [&] {
    ++steps_;
    if (ready_at == 0 && store->IsReady()) ready_at = steps_;
  });
  while (loop_.armed_timers() > 0 && steps_ < 100) loop_.Advance(0s);
  EXPECT_FALSE(store->IsSalvaging());
  EXPECT_GT(ready_at, 1);
  EXPECT_GT(steps_, ready_at) << "what the fold does not need comes later";
  EXPECT_EQ(store->Usage().total_records(), 52U) << "with the alert, raised and cleared";
}

}  // namespace
}  // namespace tidegate
