#include "reader/retention.h"

#include <algorithm>

namespace tidegate::reader {

std::string TenantVariable(std::string_view tenant) {
  std::string name;
  for (char c : tenant) {
    const bool lower = c >= 'a' && c <= 'z';
    name.push_back(lower ? static_cast<char>(c - 'a' + 'A') : c == '.' || c == '-' ? '_' : c);
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
