// The environment variables of the program. A setting is looked up by our name first, then by the
// names that other readers use for it. Every name that was looked up is remembered, so that `check`
// can report variables that no setting has. One thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::reader {

using Variables = std::map<std::string, std::string, std::less<>>;

// Another program's name for one of our settings. Its value means ours with `prefix` and `suffix`
// added: FLUSH_INTERVAL=5.0 is 5.0s.
struct Alias {
  std::string_view name;
  std::string_view prefix = {};
  std::string_view suffix = {};
};

// A setting with its effective value, one line of `check`.
struct Setting {
  std::string name;
  std::string value;
  // The variable or credential that set it, or "default".
  std::string origin;
};

// A value with the name of the variable that has it.
struct Found {
  std::string value;
  std::string origin;
};

class Environment {
 public:
  explicit Environment(Variables variables) : variables_(std::move(variables)) {}
  // Reads the variables of this process.
  static Environment OfProcess();

  // Returns the value of the first name that has one; nullopt if none has. An empty value counts as
  // unset.
  std::optional<Found> Find(std::string_view name, std::span<const Alias> aliases = {});
  // Returns every variable that begins with the prefix and is not empty: the rest of its name, and
  // its value.
  std::vector<std::pair<std::string, Found>> WithPrefix(std::string_view prefix);
  // Returns the TIDEGATE_ variables that were not looked up, including empty ones.
  std::vector<std::string> Unknown() const;
  // Returns the TIDEGATE_ names that were looked up.
  std::vector<std::string> Known() const;

 private:
  Variables variables_;
  std::map<std::string, bool, std::less<>> asked_;
};

}  // namespace tidegate::reader
