#include "reader/project/rebuild/rebuild_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/output.h"
#include "core/record.h"
#include "reader/consume/kafka_settings.h"
#include "reader/database/routed/routed_landing.h"
#include "reader/project/rebuild/kafka_group.h"
#include "reader/project/rebuild/rebuild.h"
#include "reader/project/rebuild_mark.h"

namespace tidegate::reader {

namespace {
constexpr int kFailed = 1;
constexpr int kMisused = 2;
constexpr std::chrono::milliseconds kKafkaPatience{30'000};
// The database sorts all documents of a collection before it returns the first.
constexpr std::chrono::hours kSortPatience{4};

Error Invalid(std::string text) {
  return {ErrorCode::kInvalid, std::move(text)};
}

Result<std::vector<std::string>> DatabasesOf(const RebuildArguments& arguments,
                                             const Decoder::Options& decoder) {
  if (decoder.tenancy == Tenancy::kShared) {
    if (!arguments.tenants.empty())
      return Invalid("--tenant is for TIDEGATE_TENANCY=database: all tenants share one here");
    return std::vector{decoder.database};
  }
  std::vector<std::string> tenants = arguments.tenants;
  if (tenants.empty()) tenants.assign(decoder.tenants.begin(), decoder.tenants.end());
  if (tenants.empty())
    return Invalid("name the tenants by --tenant: TIDEGATE_TENANTS has no list of them");
  std::vector<std::string> databases;
  for (const std::string& tenant : tenants) {
    if (!IsTenantName(tenant)) return Invalid(fmt::format("--tenant: '{}' is none", tenant));
    databases.push_back(DatabaseForTenant(decoder.database, tenant).name);
  }
  return databases;
}

Status RefuseWhileProjecting(const Config& config, const Clock& clock, const Log& log) {
  const auto request = ProjectingConsumerRequest(
      ConsumerRequest(config.kafka_settings, config.kafka_credentials), 0);
  const auto members = MembersOfGroup(request, kKafkaPatience, clock, log);
  if (!members.ok()) return members.error();
  if (members->empty()) return {};
  return Error{
      ErrorCode::kUnavailable,
      fmt::format("projectors are running ({}): stop the readers that have the role "
                  "project, or run them with TIDEGATE_ROLES=land,api meanwhile; one that has just "
                  "stopped is among them for session.timeout.ms, 10 s",
                  fmt::join(*members, ", "))};
}

Status RefuseWhileRebuilding(ProjectionStore& projections, const std::string& database,
                             bool again) {
  const auto mark = ReadRebuildMark(projections, database);
  if (!mark.ok()) return mark.error();
  if (!IsUnderWay(*mark) || again) return {};
  return Error{ErrorCode::kUnavailable,
               "another rebuild is under way, or was broken off; if none runs, use --again"};
}
}  // namespace

int RebuildProjections(const RebuildArguments& arguments, const Config& config, const Log& log) {
  CHECK(config.problems.empty(), "a verb runs with a configuration that has no problems");
  const auto databases = DatabasesOf(arguments, config.decoder);
  if (!databases.ok()) return log.Error("{}", databases.error().message), kMisused;
  if (config.decoder.retention.any() && !arguments.without_expired) {
    log.Error(
        "documents expire here (TIDEGATE_RETENTION): what was made of those that are gone would go "
        "too; if that is meant, use --without-expired");
    return kMisused;
  }
  const auto failed = [&](const Error& error) { return log.Error("{}", error.message), kFailed; };
  const SystemClock clock;
  if (Status status = RefuseWhileProjecting(config, clock, log); !status.ok())
    return failed(status.error());
  const auto landing =
      OpenLandings(config.landing, config.landing_of_database, {.answer_within = kSortPatience});
  if (!landing.ok()) return failed(landing.error());
  const auto read = (*landing)->NewProjections();
  if (!read.ok()) return failed(read.error());
  const auto projections = (*landing)->NewProjections();
  if (!projections.ok()) return failed(projections.error());
  const auto documents = (*landing)->NewStore(log);
  if (!documents.ok()) return failed(documents.error());
  const Decoder decoder(config.decoder, StreamTable::Make(config.streams).value());
  if (Status status = RefuseWhileRebuilding(**projections, decoder.database(), arguments.again);
      !status.ok())
    return failed(status.error());
  Rebuild rebuild({.databases = *databases, .folder = config.projector.folder},
                  {**read, **projections, **documents, decoder, clock, log});
  const Status status = rebuild.Run();
  Print(rebuild.report().Text());
  if (status.ok()) return 0;
  log.Error("broken off: {}; projectors wait until `tidegate-reader rebuild --again` is through",
            status.error().message);
  return kFailed;
}

}  // namespace tidegate::reader
