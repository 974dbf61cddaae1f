// Crash points: the store on a disk that loses power, or fails, at the n-th call of a kind, for
// every n of random schedules.
//   store_crash_test [--seed=N] [--points=N] [--only=SCHEDULE/FAULT/N]
// Prints one line for each campaign; the seed, and the name of a point for --only, do it again.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/crash/crash_points.h"

namespace tidegate {
namespace {

constexpr size_t kMaxShown = 10;

uint64_t g_seed = 0;
uint64_t g_points = 0;
std::optional<CrashPoint> g_only;

class Campaign {
 public:
  Campaign(uint64_t seed, Durability durability) : seed_(seed), durability_(durability) {}

  // Runs `count` points, spread evenly over whole schedules; or the one of --only.
  void Run(uint64_t count, bool power_only) {
    if (g_only) return RunOne(*g_only);
    const auto points = Points(count, power_only);
    uint64_t taken = 0;
    for (size_t i = 0; i < points.size(); ++i) {
      if (i * count / points.size() < taken) continue;
      ++taken;
      RunOne(points[i]);
    }
  }
  void RunOne(const CrashPoint& point) {
    const auto machine = At(point.schedule);
    const Tally before = machine->oracle().tally();
    try {
      machine->Run(point);
    } catch (const std::exception& error) {
      machine->oracle().Report(error.what());
    }
    Tally after = machine->oracle().tally();
    after.acknowledged -= before.acknowledged;
    after.gaps -= before.gaps;
    tally_ += after;
    folds_checked_ += machine->gateway().folds_checked();
    asked_ = asked_ || machine->gateway().asked();
    const auto& problems = machine->oracle().problems();
    if (!problems.empty()) {
      failures_.push_back(fmt::format("--only={}: {} problems, the first: {}", point.Name(),
                                      problems.size(), problems.front()));
    }
  }
  void Print(std::string_view name) const {
    fmt::print(
        "{}: faults {}, records acknowledged {}, lost {}, doubled {}, gaps declared {} (seed {}; "
        "{} folds checked)\n",
        name, tally_.faults, tally_.acknowledged, tally_.lost, tally_.doubled, tally_.gaps, seed_,
        folds_checked_);
    std::fflush(stdout);
  }
  uint64_t seed() const { return seed_; }
  const Tally& tally() const { return tally_; }
  // One line for each point that went wrong.
  const std::vector<std::string>& failures() const { return failures_; }
  uint64_t folds_checked() const { return folds_checked_; }
  bool asked() const { return asked_; }

 private:
  CrashMachine& Template(uint64_t schedule) {
    if (template_ == nullptr || template_of_ != schedule) {
      template_.reset();
      template_ = std::make_unique<CrashMachine>(seed_ + schedule, durability_);
      if (schedule % 2 == 1) template_->Fill();
      template_of_ = schedule;
    }
    return *template_;
  }
  // At least one schedule that begins empty, and one at the limit.
  std::vector<CrashPoint> Points(uint64_t count, bool power_only) {
    std::vector<CrashPoint> points;
    for (uint64_t schedule = 0; schedule < 2 || points.size() < count; ++schedule) {
      const auto calls = At(schedule)->CountCalls();
      for (size_t fault = 0; fault < (power_only ? 1 : kFaultCount); ++fault) {
        for (uint64_t n = 1; n <= calls[fault]; ++n) {
          points.push_back({schedule, static_cast<Fault>(fault), n});
        }
      }
    }
    return points;
  }
  // A machine at the beginning of the schedule.
  std::unique_ptr<CrashMachine> At(uint64_t schedule) {
    const CrashMachine& from = Template(schedule);
    auto machine = std::make_unique<CrashMachine>(seed_ + schedule, durability_, "crash-point");
    machine->StartFrom(from);
    return machine;
  }
  uint64_t seed_;
  Durability durability_;
  std::unique_ptr<CrashMachine> template_;
  uint64_t template_of_ = 0;
  Tally tally_;
  uint64_t folds_checked_ = 0;
  bool asked_ = false;
  std::vector<std::string> failures_;
};

void ExpectNoFailure(const Campaign& campaign) {
  const auto& failures = campaign.failures();
  for (size_t i = 0; i < failures.size() && i < kMaxShown; ++i) ADD_FAILURE() << failures[i];
  EXPECT_EQ(failures.size(), 0u) << "--seed=" << campaign.seed();
}

TEST(StoreCrash, NothingAcknowledgedIsLostAtAnyCrashPoint) {
  Campaign campaign(g_seed, Durability::kPowerSafe);
  campaign.Run(g_points, false);
  campaign.Print("vfs");
  ExpectNoFailure(campaign);
  EXPECT_EQ(campaign.tally().lost, 0u);
  EXPECT_EQ(campaign.tally().doubled, 0u);
  if (g_only) return;
  EXPECT_GE(campaign.tally().faults, g_points);
  EXPECT_GT(campaign.tally().gaps, 0u) << "no point was at the store's limit";
  EXPECT_TRUE(!campaign.asked() || campaign.folds_checked() > g_points / 2);
}

struct KnownPoint {
  uint64_t seed;
  std::string_view name;
};

// Each has shown a bug of the store.
constexpr KnownPoint kKnownPoints[] = {
    // A log sync failed, then the power went while the log was moved into the database.
    {77, "27/sync/13"},
    {77, "41/sync/6"},
    {77, "45/sync/8"},
    {77, "48/sync/9"},
    // The same, with a restart of the process in between.
    {77, "29/sync/3"},
    // The power went while the first page of a new file was written.
    {77, "148/sync/1"},
    {77, "192/sync/2"},
    // A gap record was dropped although readings were there.
    {77, "11/sync/1"},
    {77, "189/sync/1"},
};

TEST(StoreCrash, PointsThatOnceFailedDoNot) {
  if (g_only) return;
  for (const auto& [seed, name] : kKnownPoints) {
    Campaign campaign(seed, Durability::kPowerSafe);
    campaign.RunOne(CrashPoint::FromName(name).value());
    ExpectNoFailure(campaign);
  }
}

// What proves that the harness can see a loss.
TEST(StoreCrash, TheSamePowerCutsWithoutFsyncShowLosses) {
  Campaign campaign(g_seed, Durability::kProcessSafe);
  campaign.Run(std::min<uint64_t>(g_points, 500), true);
  campaign.Print("vfs, process-safe");
  EXPECT_GT(campaign.tally().lost, 0u);
  EXPECT_EQ(campaign.tally().doubled, 0u) << "a seq that was lost must not come back";
}

bool Number(std::string_view word, std::string_view name, uint64_t& out) {
  if (!word.starts_with(name)) return false;
  word.remove_prefix(name.size());
  return std::from_chars(word.data(), word.data() + word.size(), out).ec == std::errc();
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  using tidegate::g_only;
  using tidegate::g_points;
  using tidegate::g_seed;
  g_seed = std::random_device()();
  g_points = std::getenv("TIDEGATE_CRASH_FULL") != nullptr ? 10'000 : 500;
  if (const char* points = std::getenv("TIDEGATE_CRASH_POINTS"))
    g_points = std::strtoull(points, nullptr, 10);
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (tidegate::Number(word, "--seed=", g_seed) || tidegate::Number(word, "--points=", g_points))
      continue;
    if (!word.starts_with("--only=")) {
      fmt::print(stderr, "usage: {} [--seed=N] [--points=N] [--only=SCHEDULE/FAULT/N]\n", argv[0]);
      return 2;
    }
    g_only = tidegate::CrashPoint::FromName(word.substr(7));
    if (!g_only) {
      fmt::print(stderr, "{}: no point, such as 1/sync/17\n", word);
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
