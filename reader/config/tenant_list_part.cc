// The tenants that may land: a variable, and a file for lists that are longer than a variable may
// be.
#include <fmt/ranges.h>

#include "core/record.h"
#include "reader/config/loader.h"
#include "reader/config/setting_file.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kTenantsFile = "TIDEGATE_TENANTS_FILE";
constexpr std::string_view kCredential = "tenants.json";
// A longer list is shown as a number.
constexpr size_t kMaxShown = 20;

std::string Shown(const std::set<std::string, std::less<>>& tenants) {
  if (tenants.empty()) return "any";
  if (tenants.size() > kMaxShown) return fmt::format("{} tenants", tenants.size());
  return fmt::format("{}", fmt::join(tenants, ","));
}
}  // namespace

void Loader::LoadTenants() {
  Decoder::Options& decoder = config_.decoder;
  if (const auto tenant = environment_.Find("TIDEGATE_TENANT")) {
    Show("TIDEGATE_TENANT", tenant->value, tenant->origin);
    decoder.tenant = tenant->value;
    if (!IsTenantName(tenant->value))
      Problem(tenant->origin, "is not the name of a tenant: 1 to 64 of A-Z a-z 0-9 . _ -");
  }
  const Found tenants = environment_.Find("TIDEGATE_TENANTS").value_or(Found{"", "default"});
  for (const std::string& tenant : SplitList(tenants.value)) {
    if (IsTenantName(tenant)) {
      decoder.tenants.insert(tenant);
    } else {
      Problem(
          tenants.origin,
          fmt::format("'{}' is not the name of a tenant: 1 to 64 of A-Z a-z 0-9 . _ -", tenant));
    }
  }
  Show("TIDEGATE_TENANTS", Shown(decoder.tenants), tenants.origin);
  CheckTenantDatabases(tenants.origin);
  config_.live.of_variables.allowed = decoder.tenants;
  LoadTenantFile();
  if (!decoder.tenant.empty() && !decoder.tenants.empty() &&
      !decoder.tenants.contains(decoder.tenant)) {
    Problem("TIDEGATE_TENANT", "is not on TIDEGATE_TENANTS");
  }
  if (decoder.tenancy == Tenancy::kDatabase && decoder.tenants.empty()) {
    config_.warnings.push_back(
        "TIDEGATE_TENANCY=database without TIDEGATE_TENANTS: whoever may write to the topics makes "
        "databases");
  }
}

void Loader::CheckTenantDatabases(const std::string& origin) {
  const Decoder::Options& decoder = config_.decoder;
  if (decoder.tenancy != Tenancy::kDatabase || !IsDatabaseName(decoder.database)) return;
  std::map<std::string, std::string> databases;
  for (const std::string& tenant : decoder.tenants) {
    const auto [entry, is_new] =
        databases.emplace(DatabaseForTenant(decoder.database, tenant).name, tenant);
    if (!is_new)
      Problem(origin, fmt::format("'{}' and '{}' would share a database", entry->second, tenant));
  }
}

// The file takes the place of a variable, which must not exceed 128 KiB.
void Loader::LoadTenantFile() {
  LiveLists::Options& live = config_.live;
  live.tenancy = config_.decoder.tenancy;
  live.database = config_.decoder.database;
  live.default_tenant = config_.decoder.tenant;
  Found file = environment_.Find(kTenantsFile).value_or(Found{});
  if (const auto credential = credentials_.Path(kCredential))
    file = {*credential, fmt::format("credential {}", kCredential)};
  if (file.value.empty()) return;
  if (!IsDatabaseName(live.database)) return;  // A problem of its own.
  live.tenants_file = file.value;
  config_.decoder.retention_may_come = true;
  const auto text = ReadSettingFile(file.value);
  if (!text.ok()) return Problem(file.origin, text.error().message);
  auto lists = MergeTenants(live, *text, nullptr);
  if (!lists.ok()) return Problem(file.origin, lists.error().message);
  Show(kTenantsFile, fmt::format("{} ({})", file.value, Shown(lists->tenants.allowed)),
       file.origin);
  config_.decoder.tenants = std::move(lists->tenants.allowed);
  config_.decoder.retention.by_name = std::move(lists->tenants.retention.by_name);
  live.landing_of_database = lists->landing_of_database;
  config_.landing_of_database = std::move(lists->landing_of_database);
}

}  // namespace tidegate::reader
