#include "drivers/sim/sim_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {
namespace {

constexpr std::array<std::string_view, 6> kNames{"assets", "rate",   "seed",
                                                 "count",  "tenant", "kind"};

// Leaves `value` alone if the query has no such name.
template <typename T>
void ReadNumber(const Uri& uri, const std::string& name, T low, T high, T& value,
                std::vector<std::string>& problems) {
  const auto found = uri.query.find(name);
  if (found == uri.query.end()) return;
  const std::string& text = found->second;
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= low && number <= high) {
    value = number;
  } else {
    problems.push_back(fmt::format("{}={} is no number from {} to {}", name, text, low, high));
  }
}

}  // namespace

Result<SimOptions> ParseSimOptions(const Input& input, const Uri& uri) {
  SimOptions options;
  options.input = input;
  std::vector<std::string> problems;
  if (!uri.host.empty() || !uri.user.empty() || !uri.path.empty()) {
    problems.push_back("a sim input has neither host nor path, write sim:?assets=100");
  }
  ReadNumber<size_t>(uri, "assets", 1, 100'000, options.fleet.assets, problems);
  ReadNumber<double>(uri, "rate", 0, 1e6, options.rate, problems);
  ReadNumber<uint64_t>(uri, "seed", 0, UINT64_MAX, options.fleet.seed, problems);
  ReadNumber<uint64_t>(uri, "count", 0, UINT64_MAX, options.count, problems);
  const auto tenant = uri.query.find("tenant");
  const std::string& given = tenant != uri.query.end() ? tenant->second : input.tenant;
  if (!given.empty() && !IsTenantName(given)) {
    problems.push_back(fmt::format("tenant={} is no tenant's name", given));
  } else if (!given.empty()) {
    options.fleet.tenants = {given};
  }
  for (const auto& [name, value] : uri.query) {
    if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
      problems.push_back(
          fmt::format("'{}' is unknown, a sim input has {}", name, fmt::join(kNames, ", ")));
    }
  }
  if (!problems.empty()) {
    return Error{ErrorCode::kInvalid, fmt::format("sim input: {}", fmt::join(problems, "; "))};
  }
  return options;
}

}  // namespace tidegate
