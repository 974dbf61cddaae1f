// How long documents are kept after they landed, for each tenant. Pure; any thread once filled.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::reader {

// How a variable's name spells a tenant: upper case, '_' for '.' and '-', so that several tenants
// may have one spelling.
std::string TenantVariable(std::string_view tenant);

struct Retention {
  // nullopt: for ever.
  using Period = std::optional<std::chrono::milliseconds>;

  Period standard = std::nullopt;
  std::map<std::string, Period, std::less<>> tenants = {};  // By TenantVariable().

  Period For(std::string_view tenant) const;
  // Whether anything at all ever goes.
  bool any() const;
};

}  // namespace tidegate::reader
