// The variables that the program was started with, looked up under our name first and then under
// the names that other readers use for the same thing. It remembers what was asked, so that `check`
// can tell every value and where it came from. One thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::reader {

using Variables = std::map<std::string, std::string, std::less<>>;

// Another program's name for a setting of ours. `prefix` and `suffix` are what its value lacks:
// FLUSH_INTERVAL=5.0 is 5.0s.
struct Alias {
  std::string_view name;
  std::string_view prefix = {};
  std::string_view suffix = {};
};

// One line of `check`.
struct Setting {
  std::string name;
  std::string value;
  std::string origin;  // The variable or credential that set it, or "default".
};

struct Found {
  std::string value;
  std::string origin;
};

class Environment {
 public:
  explicit Environment(Variables variables) : variables_(std::move(variables)) {}
  // Of this process.
  static Environment OfProcess();

  // The first of the names that has a value; blank is as good as unset.
  std::optional<Found> Find(std::string_view name, std::span<const Alias> aliases = {});
  // Every variable with this prefix that is not blank: what follows the prefix, and the value.
  std::vector<std::pair<std::string, Found>> WithPrefix(std::string_view prefix);
  // TIDEGATE_ variables that nobody has asked for, blank ones too.
  std::vector<std::string> Unknown() const;
  // Our names that have been asked for.
  std::vector<std::string> Known() const;

 private:
  Variables variables_;
  std::map<std::string, bool, std::less<>> asked_;
};

}  // namespace tidegate::reader
