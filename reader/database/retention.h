// How long each tenant's documents are kept after they landed. Pure; any thread once it is filled.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::reader {

// Returns the tenant as a variable's name spells it: in upper case, with '_' for '.' and '-'.
// Different tenants may have the same spelling.
std::string TenantVariable(std::string_view tenant);

struct Retention {
  // nullopt: documents are kept for ever.
  using Period = std::optional<std::chrono::milliseconds>;

  Period standard = std::nullopt;
  // The periods of single tenants, by their names; they take precedence.
  std::map<std::string, Period, std::less<>> by_name = {};
  // The periods of single tenants, by TenantVariable().
  std::map<std::string, Period, std::less<>> tenants = {};

  Period For(std::string_view tenant) const;
  // Returns true if any tenant's documents expire.
  bool any() const;
};

}  // namespace tidegate::reader
