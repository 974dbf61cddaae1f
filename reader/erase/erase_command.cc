#include "reader/erase/erase_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/clock.h"
#include "core/output.h"
#include "core/record.h"
#include "reader/database/landing.h"
#include "reader/erase/erasure.h"

namespace tidegate::reader {

namespace {
constexpr int kFailed = 1;
constexpr int kMisused = 2;

// The databases that may keep something of the tenant, by the URI of their server. With a database
// for each tenant, the main one may keep what landed before.
std::map<std::string, std::set<std::string>> TargetsOf(const Config& config,
                                                       const std::string& tenant) {
  std::map<std::string, std::set<std::string>> targets;
  targets[config.landing].insert(config.decoder.database);
  if (config.decoder.tenancy != Tenancy::kDatabase) return targets;
  const std::string database = DatabaseForTenant(config.decoder.database, tenant).name;
  const auto own = config.landing_of_database.find(database);
  targets[own == config.landing_of_database.end() ? config.landing : own->second].insert(database);
  return targets;
}

Status EraseFrom(const std::string& uri, const std::set<std::string>& databases,
                 const Erasure::Options& options, uint64_t& total) {
  const auto landing = OpenLanding(uri);
  if (!landing.ok()) return landing.error();
  Print(fmt::format("{}: {}\n", WithoutPassword(uri), fmt::join(databases, ", ")));
  if (!(*landing)->Exists())
    return Error{ErrorCode::kInvalid,
                 "there is no such file: give this verb the variables and credentials of the "
                 "service"};
  const auto eraser = OpenEraser(uri);
  if (!eraser.ok()) return eraser.error();
  const SystemClock clock;
  LogLimit limit(std::chrono::seconds(10));
  limit.Count(clock.SinceBoot());
  Erasure erasure(options, **eraser, [&](const Erasure::Line& line) {
    if (limit.Count(clock.SinceBoot()))
      Print(fmt::format("{}.{}: {} removed so far\n", line.ns.database, line.ns.collection,
                        line.documents));
  });
  Status status;
  for (const std::string& database : databases) {
    if (status.ok()) status = erasure.Run(database);
  }
  for (const Erasure::Line& line : erasure.lines())
    Print(fmt::format("{:<48} {:>10}\n", line.ns.database + "." + line.ns.collection,
                      line.documents));
  total += erasure.total();
  return status;
}
}  // namespace

int EraseSubject(const EraseArguments& arguments, const Config& config, const Log& log) {
  if (!IsTenantName(arguments.tenant)) {
    log.Error("--tenant: is not the name of a tenant: 1 to 64 of A-Z a-z 0-9 . _ -");
    return kMisused;
  }
  const Erasure::Options options{.subject = {arguments.tenant, arguments.asset},
                                 .remove = arguments.yes};
  const auto& tenants = config.decoder.tenants;
  if (!tenants.empty() && !tenants.contains(arguments.tenant)) {
    log.Error(
        "--tenant: '{}' is on no list of tenants, so a server of its own is unknown: erase "
        "first, and take the tenant off the list then",
        arguments.tenant);
    return kMisused;
  }
  uint64_t total = 0;
  int code = 0;
  for (const auto& [uri, databases] : TargetsOf(config, arguments.tenant)) {
    const Status status = EraseFrom(uri, databases, options, total);
    if (status.ok()) continue;
    const bool again = status.error().code != ErrorCode::kInvalid;
    log.Error("{}: {}{}", WithoutPassword(uri), status.error().message,
              again ? "; run it again" : "");
    code = std::max(code, again ? kFailed : kMisused);
  }
  Print(fmt::format("{:<48} {:>10}\n", arguments.yes ? "removed" : "found", total));
  if (!arguments.yes) Print("nothing was removed; --yes removes it for good\n");
  Print(
      "Kafka's topics, dead letters among them, keep their messages for as long as they are "
      "configured to\n");
  return code;
}

}  // namespace tidegate::reader
