// The command line, the CPU clock and the table of the benches that measure stages. One thread.
#pragma once

#include <time.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

struct StageOptions {
  // Records, or documents, of each round.
  size_t count = 50'000;
  // Records of a batch.
  size_t batch = 1'000;
  size_t rounds = 5;
  // Prints one line of JSON instead of a table.
  bool json = false;
  // The stage to run alone. Empty: all.
  std::string stage = {};
};

// Returns `options` with the values that the arguments set: [--count=N] [BATCH_FLAG=N]
// [--rounds=N] [--json] [STAGE]. Ignores unknown flags.
StageOptions ParseStageOptions(int argc, char** argv, std::string_view batch_flag,
                               StageOptions options);

// Returns the reading of a CPU clock, such as CLOCK_THREAD_CPUTIME_ID, in seconds.
double CpuSeconds(clockid_t clock);

// CPU time in microseconds for each record.
struct Cost {
  // Spent on the calling thread.
  double thread = 0;
  // Spent on all other threads of the process.
  double others = 0;
};

// Runs `work` once and returns its CPU time divided by `count`.
Cost RunStage(size_t count, const std::function<void()>& work);

// Collects the CPU times of all rounds and prints the median of each stage.
class StageTable {
 public:
  // `stages` are in the order of printing. `unit` names what the times are divided by: "record".
  StageTable(std::vector<std::string> stages, std::string unit);

  // Adds the result of one round.
  void Add(const std::string& stage, double microseconds);
  // Prints a line for each stage that has results, or all of them as one line of JSON.
  void Print(bool json) const;

 private:
  const std::vector<std::string> stages_;
  const std::string unit_;
  std::map<std::string, std::vector<double>> rounds_;
};

}  // namespace tidegate
