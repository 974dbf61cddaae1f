#include "reader/config/live_lists.h"

#include <fmt/format.h>

#include <utility>

#include "reader/config/tenant_file.h"
#include "reader/database/landing.h"

namespace tidegate::reader {

namespace {
Error About(const std::string& path, const Error& error) {
  return {ErrorCode::kInvalid, fmt::format("{}: {}", path, error.message)};
}

Error Invalid(std::string message) {
  return {ErrorCode::kInvalid, std::move(message)};
}

// Adds the server of a tenant of the file. Returns false if the tenant has to wait for a restart.
Result<bool> AddServer(const LiveLists::Options& options, const TenantEntry& entry,
                       const std::map<std::string, std::string>* known, LiveLists::Lists& lists) {
  if (options.tenancy != Tenancy::kDatabase) {
    if (entry.landing.empty()) return true;
    return Invalid(fmt::format(
        "'{}' has a server of its own, which needs TIDEGATE_TENANCY=database", entry.name));
  }
  const std::string database = DatabaseForTenant(options.database, entry.name).name;
  if (!entry.landing.empty()) {
    if (const auto landing = OpenLanding(entry.landing); !landing.ok())
      return Invalid(fmt::format("landing of '{}': {}", entry.name, landing.error().message));
    lists.landing_of_database[database] = entry.landing;
  }
  if (known == nullptr) return true;
  const auto present = known->find(database);
  // A server that variables or credentials name is the same as before.
  if (entry.landing.empty()) return true;
  return present != known->end() && present->second == entry.landing;
}

// kInvalid: two of them would share a database.
Status CheckDatabases(const LiveLists::Options& options, const Tenants& tenants) {
  if (options.tenancy != Tenancy::kDatabase) return {};
  std::map<std::string, std::string> owner;
  for (const std::string& tenant : tenants.allowed) {
    const auto [entry, is_new] =
        owner.emplace(DatabaseForTenant(options.database, tenant).name, tenant);
    if (!is_new)
      return Invalid(fmt::format("'{}' and '{}' would share a database", entry->second, tenant));
  }
  return {};
}
}  // namespace

Result<LiveLists::Lists> MergeTenants(const LiveLists::Options& options, std::string_view text,
                                      const std::map<std::string, std::string>* known) {
  auto entries = ParseTenantFile(text);
  if (!entries.ok()) return entries.error();
  LiveLists::Lists lists{.tenants = options.of_variables};
  for (TenantEntry& entry : *entries) {
    const auto ready = AddServer(options, entry, known, lists);
    if (!ready.ok()) return ready.error();
    if (!*ready) {
      ++lists.waiting_for_restart;
      continue;
    }
    if (entry.retention) lists.tenants.retention.by_name[entry.name] = *entry.retention;
    lists.tenants.allowed.insert(std::move(entry.name));
  }
  if (lists.tenants.allowed.empty()) return Invalid("no tenant of it may land before a restart");
  if (Status status = CheckDatabases(options, lists.tenants); !status.ok()) return status.error();
  if (!options.default_tenant.empty() && !lists.tenants.allowed.contains(options.default_tenant))
    return Invalid(fmt::format("TIDEGATE_TENANT '{}' is not in it", options.default_tenant));
  return lists;
}

LiveLists::LiveLists(Options options)
    : options_(std::move(options)),
      tenants_stamp_(StampOf(options_.tenants_file)),
      tokens_stamp_(StampOf(options_.tokens_file)) {}

bool LiveLists::Changed() const {
  return StampOf(options_.tenants_file) != tenants_stamp_ ||
         StampOf(options_.tokens_file) != tokens_stamp_;
}

Status LiveLists::ReadTenants(Lists& lists) const {
  if (options_.tenants_file.empty()) {
    lists.tenants = options_.of_variables;
    return {};
  }
  const auto text = ReadSettingFile(options_.tenants_file);
  if (!text.ok()) return text.error();
  auto merged = MergeTenants(options_, *text, &options_.landing_of_database);
  if (!merged.ok()) return About(options_.tenants_file, merged.error());
  lists = std::move(merged).value();
  return {};
}

Result<LiveLists::Lists> LiveLists::Read() {
  // The stamps are taken first: a file that changes meanwhile is read again.
  tenants_stamp_ = StampOf(options_.tenants_file);
  tokens_stamp_ = StampOf(options_.tokens_file);
  Lists lists;
  if (Status status = ReadTenants(lists); !status.ok()) return status.error();
  if (options_.tokens_file.empty()) return lists;
  const auto text = ReadSettingFile(options_.tokens_file);
  if (!text.ok()) return text.error();
  auto tokens = TokenTable::Parse(*text);
  if (!tokens.ok()) return About(options_.tokens_file, tokens.error());
  lists.tokens = std::move(tokens).value();
  return lists;
}

}  // namespace tidegate::reader
