// The settings of single tenants: how long their documents are kept, and which server they are on.
#include <algorithm>

#include "core/quantity.h"
#include "reader/config/loader.h"
#include "reader/config/tenant_file.h"
#include "reader/database/landing.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kRetention = "TIDEGATE_RETENTION";
constexpr std::string_view kRetentionOf = "TIDEGATE_RETENTION_";
constexpr std::string_view kLandingOf = "TIDEGATE_LANDING_";
constexpr std::string_view kCredentialBegin = "landing.";
constexpr std::string_view kCredentialEnd = ".uri";

// Returns the tenant of the credential landing.<tenant>.uri; empty if it is another credential.
std::string_view TenantOfCredential(std::string_view name) {
  if (name.size() <= kCredentialBegin.size() + kCredentialEnd.size()) return {};
  if (!name.starts_with(kCredentialBegin) || !name.ends_with(kCredentialEnd)) return {};
  name.remove_suffix(kCredentialEnd.size());
  return name.substr(kCredentialBegin.size());
}
}  // namespace

Retention::Period Loader::RetentionPeriod(const Found& found) {
  if (const auto period = ParseRetention(found.value)) return *period;
  Problem(found.origin,
          fmt::format("'{}' is neither forever nor a duration of at least {}, such as 90d",
                      found.value, FormatDuration(kShortestRetention)));
  return std::nullopt;
}

void Loader::LoadRetention() {
  Retention& retention = config_.decoder.retention;
  retention.standard = RetentionPeriod(Text(kRetention, {}, "forever"));
  for (const auto& [suffix, found] : environment_.WithPrefix(kRetentionOf)) {
    Show(found.origin, found.value, found.origin);
    if (TenantVariable(suffix) != suffix)
      Problem(found.origin, "is spelt in upper case, with _ for other characters");
    retention.tenants[suffix] = RetentionPeriod(found);
    CheckTenantSpelling(found.origin, suffix);
  }
  config_.live.of_variables.retention = retention;
  config_.live.of_variables.retention.by_name.clear();
}

// Returns the tenants of the allow list whose name is spelt like this in a variable.
std::vector<std::string> Loader::TenantsSpelt(std::string_view suffix) const {
  std::vector<std::string> tenants;
  for (const std::string& tenant : config_.decoder.tenants) {
    if (TenantVariable(tenant) == suffix) tenants.push_back(tenant);
  }
  return tenants;
}

void Loader::CheckTenantSpelling(const std::string& origin, std::string_view suffix) {
  if (config_.decoder.tenants.empty()) return;
  const auto tenants = TenantsSpelt(suffix);
  if (tenants.empty()) Problem(origin, "no tenant on TIDEGATE_TENANTS is spelt so");
  if (tenants.size() > 1) {
    Problem(origin, fmt::format("'{}' and '{}' are both spelt so", tenants[0], tenants[1]));
  }
}

void Loader::SetTenantLanding(const std::string& tenant, const Found& found) {
  Show(fmt::format("{}{}", kLandingOf, TenantVariable(tenant)), WithoutPassword(found.value),
       found.origin);
  if (const auto landing = OpenLanding(found.value); !landing.ok())
    Problem(found.origin, landing.error().message);
  for (const std::string& warning : LandingWarnings(found.value))
    config_.warnings.push_back(fmt::format("{}: {}", found.origin, warning));
  if (config_.decoder.tenancy != Tenancy::kDatabase) {
    Problem(found.origin, "a tenant has a server of its own only with TIDEGATE_TENANCY=database");
  } else if (IsDatabaseName(config_.decoder.database)) {
    config_.landing_of_database[DatabaseForTenant(config_.decoder.database, tenant).name] =
        found.value;
  }
}

void Loader::LoadTenantLandings() {
  std::map<std::string, Found> landings;
  for (const auto& [suffix, found] : environment_.WithPrefix(kLandingOf)) {
    const auto tenants = TenantsSpelt(suffix);
    if (tenants.size() == 1) {
      landings[tenants.front()] = found;
    } else {
      Problem(found.origin, tenants.empty() ? "no tenant on TIDEGATE_TENANTS is spelt so"
                                            : "several tenants on TIDEGATE_TENANTS are spelt so");
    }
  }
  for (const std::string& name : credentials_.Names()) {
    const std::string tenant(TenantOfCredential(name));
    if (tenant.empty()) continue;
    const std::string origin = "credential " + name;
    auto credential = credentials_.Read(name);
    if (!credential.ok()) {
      Problem(origin, credential.error().message);
    } else if (!config_.decoder.tenants.contains(tenant)) {
      Problem(origin, fmt::format("'{}' is not on TIDEGATE_TENANTS", tenant));
    } else {
      landings[tenant] = {credential->value_or(""), origin};
    }
  }
  for (const auto& [tenant, found] : landings) SetTenantLanding(tenant, found);
}

}  // namespace tidegate::reader
