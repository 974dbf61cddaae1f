// Simulated worlds: kept seeds, a fixed range of seeds within TIDEGATE_SIMULATION_SECONDS, and one
// seed with TIDEGATE_SIMULATION_SEED.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/reached.h"
#include "tests/simulation/world.h"

namespace tidegate::simulation {
namespace {

uint64_t Setting(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : fallback;
}

Outcome RunSeed(uint64_t seed) {
  Plan plan = Plan::Draw(seed);
  if (const char* names = std::getenv("TIDEGATE_SIMULATION_WITHOUT")) plan.Without(names);
  return World(plan).Run();
}

void ExpectGood(uint64_t seed, const Outcome& outcome) {
  std::string text;
  for (const std::string& wrong : outcome.wrong) text += "\n  " + wrong;
  EXPECT_TRUE(outcome.wrong.empty())
      << Plan::Draw(seed).Text() << text << "\n  again: TIDEGATE_SIMULATION_SEED=" << seed
      << " simulation_test --gtest_filter=*OneSeed*";
}

// seeds.txt: a number, and for people what it has found.
std::vector<uint64_t> KeptSeeds() {
  std::ifstream file(TIDEGATE_SIMULATION_SEEDS);
  EXPECT_TRUE(file.good()) << TIDEGATE_SIMULATION_SEEDS;
  std::vector<uint64_t> seeds;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    uint64_t seed = 0;
    if (words >> seed) seeds.push_back(seed);
  }
  return seeds;
}

// Says which rare branches the worlds have reached, and which they have not.
void PrintMarks() {
  size_t reached = 0;
  std::vector<std::string> never;
  for (const Mark& mark : AllMarks()) {
    const uint64_t count = mark.count.load();
    if (count > 0) {
      ++reached;
    } else {
      never.emplace_back(mark.name);
    }
    if (Setting("TIDEGATE_SIMULATION_MARKS", 0)) fmt::print("{:10} {}\n", count, mark.name);
  }
  fmt::print("simulation: {} of {} marked branches reached; never: {}\n", reached,
             AllMarks().size(), fmt::join(never, "; "));
}

TEST(SimulationTest, TheSameSeedGivesTheSameWorld) {
  const Outcome first = RunSeed(1);
  const Outcome second = RunSeed(1);
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_EQ(first.events, second.events);
}

TEST(SimulationTest, KeptSeedsHold) {
  for (const uint64_t seed : KeptSeeds()) ExpectGood(seed, RunSeed(seed));
}

TEST(SimulationTest, OneSeedHolds) {
  const uint64_t seed = Setting("TIDEGATE_SIMULATION_SEED", 2);
  ExpectGood(seed, RunSeed(seed));
}

TEST(SimulationTest, SeedsHold) {
  using Clock = std::chrono::steady_clock;
  const uint64_t first = Setting("TIDEGATE_SIMULATION_FIRST", 1'000);
  const uint64_t most = Setting("TIDEGATE_SIMULATION_SEEDS_MOST", 20);
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::seconds(Setting("TIDEGATE_SIMULATION_SECONDS", 60));
  uint64_t seeds = 0;
  uint64_t events = 0;
  std::chrono::milliseconds simulated{0};
  for (; seeds < most && Clock::now() < end; ++seeds) {
    const Outcome outcome = RunSeed(first + seeds);
    ExpectGood(first + seeds, outcome);
    events += outcome.events;
    simulated += outcome.simulated;
    if (HasFailure() && !Setting("TIDEGATE_SIMULATION_KEEP_GOING", 0)) break;
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  const std::chrono::duration<double, std::ratio<86'400>> days = simulated;
  fmt::print(
      "simulation: {} seeds from {}, {:.0f} events a second, {:.1f} simulated days an hour\n",
      seeds, first, static_cast<double>(events) / took.count(),
      days.count() / took.count() * 3'600);
  PrintMarks();
}

}  // namespace
}  // namespace tidegate::simulation
