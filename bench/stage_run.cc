#include "bench/stage_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tidegate {

namespace {
double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}
}  // namespace

StageOptions ParseStageOptions(int argc, char** argv, std::string_view batch_flag,
                               StageOptions options) {
  for (const std::string& argument : std::vector<std::string>(argv + 1, argv + argc)) {
    const auto number = [&](std::string_view name, size_t& value) {
      if (argument.starts_with(name)) value = std::stoul(argument.substr(name.size()));
    };
    number("--count=", options.count);
    number(batch_flag, options.batch);
    number("--rounds=", options.rounds);
    options.json |= argument == "--json";
    if (!argument.starts_with("--")) options.stage = argument;
  }
  return options;
}

double CpuSeconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// It is not inlined, because callgrind finds it by its name.
[[gnu::noinline]] Cost RunStage(size_t count, const std::function<void()>& work) {
  const double all = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
  const double thread = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
  work();
  const double spent = CpuSeconds(CLOCK_THREAD_CPUTIME_ID) - thread;
  const double scale = 1e6 / static_cast<double>(count);
  return {spent * scale, (CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - all - spent) * scale};
}

StageTable::StageTable(std::vector<std::string> stages, std::string unit)
    : stages_(std::move(stages)), unit_(std::move(unit)) {}

void StageTable::Add(const std::string& stage, double microseconds) {
  rounds_[stage].push_back(microseconds);
}

void StageTable::Print(bool json) const {
  std::string line;
  for (const std::string& stage : stages_) {
    const auto found = rounds_.find(stage);
    if (found == rounds_.end()) continue;
    const double median = Median(found->second);
    if (!json) fmt::print("{:8} {:6.2f} us a {}\n", stage, median, unit_);
    line += fmt::format("{}\"{}\":{:.3f}", line.empty() ? "" : ",", stage, median);
  }
  if (json) fmt::print("{{{}}}\n", line);
}

}  // namespace tidegate
