// Which database holds a tenant's documents. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::reader {

enum class Tenancy {
  kShared,    // One database; documents tell their tenant.
  kDatabase,  // A database for each tenant.
};

// MongoDB's limit is 63 bytes and allows no two names that differ only in case.
inline constexpr size_t kMaxDatabaseBytes = 63;

struct DatabaseName {
  std::string name;
  // The name was too long and ends in a hash: different tenants then get different names only as
  // far as that hash goes.
  bool hashed = false;
};

// `<database>_<tenant>`, where lower-case letters, digits and '-' stand for themselves, '_' is
// "__", '.' is "_0" and 'A' is "_a": always lower case after the prefix, and different for
// different tenants. REQUIRES: IsTenantName(tenant), IsDatabaseName(database).
DatabaseName DatabaseForTenant(std::string_view database, std::string_view tenant);

// 1 to 38 of A-Z a-z 0-9 _ -, which leaves room for a tenant.
bool IsDatabaseName(std::string_view text);

}  // namespace tidegate::reader
