// What the benches of stages share: their command line, the CPU time of a stage, and the table.
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
  size_t count = 50'000;  // Records.
  size_t batch = 1'000;   // Records that go together.
  size_t rounds = 5;
  bool json = false;
  std::string stage = {};  // Empty: all.
};

// [--count=N] [BATCH_FLAG=N] [--rounds=N] [--json] [STAGE], over `options`.
StageOptions ParseStageOptions(int argc, char** argv, std::string_view batch_flag,
                               StageOptions options);

double CpuSeconds(clockid_t clock);

// us a record.
struct Cost {
  double thread = 0;  // On this thread.
  double others = 0;  // On all others of this process.
};

Cost RunStage(size_t count, const std::function<void()>& work);

// Prints the median of the rounds, a line a stage or all in one line of JSON.
class StageTable {
 public:
  // `stages` in the order of their lines, of so many `unit`s.
  StageTable(std::vector<std::string> stages, std::string unit);

  void Add(const std::string& stage, double microseconds);
  void Print(bool json) const;

 private:
  const std::vector<std::string> stages_;
  const std::string unit_;
  std::map<std::string, std::vector<double>> rounds_;
};

}  // namespace tidegate
