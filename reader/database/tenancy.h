// Names the database that holds a tenant's documents. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::reader {

enum class Tenancy {
  kShared,    // One database; the member tenant_id tells tenants apart.
  kDatabase,  // A database for each tenant.
};

// MongoDB allows 63 bytes and no two names that differ only in case.
inline constexpr size_t kMaxDatabaseBytes = 63;

struct DatabaseName {
  std::string name;
  // The name was too long and ends in a hash of 64 bits: two tenants could have the same name.
  bool hashed = false;
};

// Returns `<database>_<tenant>`. Lower-case letters, digits and '-' of the tenant are kept, '_' is
// "__", '.' is "_0" and 'A' is "_a", so that the name is in lower case after the prefix, and
// different for different tenants. REQUIRES: IsTenantName(tenant) and IsDatabaseName(database).
DatabaseName DatabaseForTenant(std::string_view database, std::string_view tenant);

// Accepts 1 to 38 of A-Z a-z 0-9 _ -, which leaves room for a tenant.
bool IsDatabaseName(std::string_view text);

}  // namespace tidegate::reader
