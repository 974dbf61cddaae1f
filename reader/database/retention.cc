#include "reader/database/retention.h"

#include <algorithm>

#include "core/ascii.h"

namespace tidegate::reader {

std::string TenantVariable(std::string_view tenant) {
  std::string name = AsciiUpper(tenant);
  for (char& c : name) {
    if (c == '.' || c == '-') c = '_';
  }
  return name;
}

Retention::Period Retention::For(std::string_view tenant) const {
  if (const auto named = by_name.find(tenant); named != by_name.end()) return named->second;
  if (tenants.empty()) return standard;
  const auto own = tenants.find(TenantVariable(tenant));
  return own == tenants.end() ? standard : own->second;
}

bool Retention::any() const {
  const auto ends = [](const auto& own) { return own.second.has_value(); };
  return standard || std::ranges::any_of(by_name, ends) || std::ranges::any_of(tenants, ends);
}

}  // namespace tidegate::reader
