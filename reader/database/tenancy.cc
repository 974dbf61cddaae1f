#include "reader/database/tenancy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "core/check.h"
#include "core/record.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxPrefixBytes = 38;

void AppendEncoded(std::string& out, char c) {
  if (c >= 'A' && c <= 'Z') {
    out += {'_', static_cast<char>(c - 'A' + 'a')};
  } else if (c == '_') {
    out += "__";
  } else if (c == '.') {
    out += "_0";
  } else {
    out.push_back(c);
  }
}

// FNV-1a. Tenants that need it must be on an allow list, which is checked for collisions at start.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3;
  return hash;
}
}  // namespace

DatabaseName DatabaseForTenant(std::string_view database, std::string_view tenant) {
  CHECK(IsTenantName(tenant), "a tenant's name is checked before it becomes a database's");
  CHECK(IsDatabaseName(database), "a database's name is checked before it is used");
  std::string name = std::string(database) + "_";
  for (char c : tenant) AppendEncoded(name, c);
  if (name.size() <= kMaxDatabaseBytes) return {std::move(name), false};
  // "_1" begins no encoded character, so that a hashed name equals no other one.
  const std::string end = fmt::format("_1{:016x}", Hash(tenant));
  name.resize(kMaxDatabaseBytes - end.size());
  if (name.ends_with('_')) name.back() = '-';
  return {name + end, true};
}

bool IsDatabaseName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxPrefixBytes && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

}  // namespace tidegate::reader
