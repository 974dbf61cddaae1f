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
  if (tenants.empty()) return standard;
  const auto own = tenants.find(TenantVariable(tenant));
  return own == tenants.end() ? standard : own->second;
}

bool Retention::any() const {
  return standard || std::ranges::any_of(tenants, [](const auto& own) { return !!own.second; });
}

}  // namespace tidegate::reader
