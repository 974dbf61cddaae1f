// tidegate-reader: the verbs of the program that brings records from Kafka into a database. It
// chooses and wires the concrete classes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

#include "core/clock.h"
#include "core/credentials.h"
#include "core/log.h"
#include "core/output.h"
#include "reader/config/config.h"
#include "reader/consume/instance_id.h"
#include "reader/consume/kafka_dead_letters.h"
#include "reader/consume/kafka_parking.h"
#include "reader/consume/kafka_settings.h"
#include "reader/consume/kafka_source.h"
#include "reader/database/migrator.h"
#include "reader/database/queries.h"
#include "reader/database/routed/routed_landing.h"
#include "reader/database/routed/routed_queries.h"
#include "reader/enrich/curl_fetcher.h"
#include "reader/erase/erase_command.h"
#include "reader/project/rebuild/rebuild_command.h"
#include "reader/project/replay/replay_command.h"
#include "reader/service.h"

namespace tidegate::reader {
namespace {

constexpr int kFailed = 1;
constexpr int kMisconfigured = 2;
// How long a server that one tenant has may keep the others waiting, once.
constexpr std::chrono::milliseconds kOwnAnswerWithin{10'000};
// An index of a large collection may take long; no record waits for it.
constexpr std::chrono::milliseconds kUpkeepAnswerWithin = std::chrono::hours(2);
// The upkeep of every other database waits for a server that one tenant has. An index that takes
// longer is made all the same, and the upkeep finds it later.
constexpr std::chrono::milliseconds kOwnUpkeepAnswerWithin{30'000};

// `name` is the static member name of the installation; empty if only the settings may give one.
kafka::ConfigRequest NamedRequest(const Config& config, const std::string& name) {
  kafka::ConfigRequest request = ConsumerRequest(config.kafka_settings, config.kafka_credentials);
  if (!name.empty()) request.defaults["group.instance.id"] = name;
  return request;
}

// Adds the worker's number to the static name, because members of one group must not share one.
kafka::ConfigRequest ConsumerRequestFor(const Config& config, const std::string& name,
                                        size_t worker) {
  kafka::ConfigRequest request = NamedRequest(config, name);
  for (kafka::Properties* properties :
       {&request.defaults, &request.settings, &request.credentials}) {
    const auto id = properties->find("group.instance.id");
    if (id != properties->end() && config.workers > 1) id->second += fmt::format("-{}", worker);
  }
  return request;
}

// Projectors are a consumer group of their own.
kafka::ConfigRequest ProjectorRequestFor(const Config& config, const std::string& name,
                                         size_t projector) {
  return ProjectingConsumerRequest(NamedRequest(config, name), projector);
}

// Claims the static name. No other process has it while the result lives. nullopt: the members have
// no static name.
std::optional<InstanceId> ClaimName(const Config& config, const Log& log) {
  if (config.instance_file.empty() || !(config.roles.land || config.roles.project)) return {};
  auto id = InstanceId::Claim(config.instance_file);
  if (id.ok()) return std::move(id).value();
  log.Warning("{}; the members of the group have no static name", id.error().message);
  return {};
}

// Returns the namespaces of the streams' documents, as far as the settings determine them.
std::vector<Enrichment::Place> PlacesOf(const Config& config) {
  const Decoder decoder(config.decoder, StreamTable::Make(config.streams).value());
  std::vector<Enrichment::Place> places;
  for (const auto& [ns, stream] : decoder.KnownNamespaces()) places.emplace_back(stream->name, ns);
  return places;
}

Result<std::unique_ptr<Enrichment>> MakeEnrichment(const Config& config, Landing& landing,
                                                   const Clock& clock, const Log& log,
                                                   Metrics& metrics) {
  if (config.enrichment.sources.empty()) return std::unique_ptr<Enrichment>();
  auto fetcher = MakeCurlFetcher();
  if (!fetcher.ok()) return fetcher.error();
  auto completions = landing.NewCompletions();
  if (!completions.ok()) return completions.error();
  Enrichment::Parts parts{std::move(fetcher).value(), std::move(completions).value(), clock, log,
                          metrics};
  return std::make_unique<Enrichment>(config.enrichment, std::move(parts), PlacesOf(config));
}

Factories FactoriesFor(const Config& config, const std::string& name, Landing& landing,
                       Landing& upkeep, Queries& queries, const Clock& clock, const Log& log) {
  const std::vector<std::string> topics = StreamTable::Make(config.streams).value().Subscription();
  return {
      .source =
          [&config, name, &clock, &log, topics](size_t worker) {
            return OpenKafkaSource(
                {.request = ConsumerRequestFor(config, name, worker), .subscription = topics},
                clock, log);
          },
      .projecting_source =
          [&config, name, &clock, &log, topics](size_t projector) {
            return OpenKafkaSource(
                {.request = ProjectorRequestFor(config, name, projector), .subscription = topics},
                clock, log);
          },
      .store = [&landing, &log] { return landing.NewStore(log); },
      .projections = [&landing] { return landing.NewProjections(); },
      .dead_letters =
          [&config, &clock, &log] {
            return std::make_unique<KafkaDeadLetters>(
                KafkaDeadLetters::Options{
                    .request = ProducerRequest(config.kafka_settings, config.kafka_credentials),
                    .topic = config.dlq_topic},
                clock, log);
          },
      .writer = [&config, &landing,
                 &log] { return landing.NewWriter(log, config.worker.write_threads); },
      .upkeep_store = [&upkeep, &log] { return upkeep.NewStore(log); },
      .parking =
          [&config, &clock, &log] {
            return std::make_unique<KafkaParking>(
                KafkaPublisher::Options{
                    .request = ProducerRequest(config.kafka_settings, config.kafka_credentials),
                    .topic = config.parking_topic,
                    .name = "parked records"},
                clock, log);
          },
      .parked_source =
          [&config, name, &clock, &log] {
            return OpenKafkaSource({.request = ParkedConsumerRequest(NamedRequest(config, name)),
                                    .subscription = {config.parking_topic},
                                    .may_be_missing = true},
                                   clock, log);
          },
      .enrichment =
          [&config, &landing, &clock, &log](Metrics& metrics) {
            return MakeEnrichment(config, landing, clock, log, metrics);
          },
      .queries = [&queries] { return queries.NewStore(); },
  };
}

Config Load() {
  return LoadConfig(Environment::OfProcess(), Credentials::FromEnvironment());
}

int Check() {
  const Config config = Load();
  Print(ConfigReport(config));
  if (config.problems.empty())
    Print("the configuration is fine; neither Kafka nor the database was asked\n");
  return config.problems.empty() ? 0 : kMisconfigured;
}

// Runs a verb with the configuration. If it has problems, logs them and returns kMisconfigured.
template <typename Verb>
int WithConfig(Verb verb) {
  const Config config = Load();
  const Log log(config.log_level);
  for (const std::string& problem : config.problems) log.Error("{}", problem);
  return config.problems.empty() ? verb(config, log) : kMisconfigured;
}

int Run(const Config& config, const Log& log) {
  for (const std::string& warning : config.warnings) log.Warning("{}", warning);
  const SystemClock clock;
  const auto landing = OpenLandings(config.landing, config.landing_of_database,
                                    {.own_answer_within = kOwnAnswerWithin, .clock = &clock});
  if (!landing.ok()) return log.Error("{}", landing.error().message), kFailed;
  const auto upkeep = OpenLandings(
      config.landing, config.landing_of_database,
      {.answer_within = kUpkeepAnswerWithin, .own_answer_within = kOwnUpkeepAnswerWithin});
  if (!upkeep.ok()) return log.Error("{}", upkeep.error().message), kFailed;
  const auto queries = OpenRoutedQueries(config.landing, config.landing_of_database, clock,
                                         config.api.pool.deadline);
  if (!queries.ok()) return log.Error("{}", queries.error().message), kFailed;
  Service service({.version = TIDEGATE_VERSION}, config, clock, log);
  const std::optional<InstanceId> instance = ClaimName(config, log);
  const Factories factories = FactoriesFor(config, instance ? instance->text() : "", **landing,
                                           **upkeep, **queries, clock, log);
  if (Status status = service.Start(factories); !status.ok()) {
    log.Error("{}", status.error().message);
    return kFailed;
  }
  return service.Run();
}

int MigrateDatabase(bool dry_run, const Config& config, const Log& log) {
  const auto fail = [&](const Error& error) { return log.Error("{}", error.message), kFailed; };
  // The main database records which migrations were applied, so a dry run opens no tenant's server.
  const auto landing = dry_run ? OpenLanding(config.landing)
                               : OpenLandings(config.landing, config.landing_of_database,
                                              {.answer_within = kUpkeepAnswerWithin});
  if (!landing.ok()) return fail(landing.error());
  if (dry_run && !(*landing)->Exists()) {
    Print(WithoutPassword(config.landing) + ": there is nothing yet, so nothing to migrate\n");
    return 0;
  }
  const auto store = (*landing)->NewStore(log);
  if (!store.ok()) return fail(store.error());
  const auto records = (*landing)->NewProjections();
  if (!records.ok()) return fail(records.error());
  const SystemClock clock;
  const Decoder decoder(config.decoder, StreamTable::Make(config.streams).value());
  Migrator migrator({**store, **records, decoder.layout(), clock, log});
  if (Status status = dry_run ? Status() : migrator.Run(); !status.ok())
    return fail(status.error());
  const auto states = migrator.Read();
  if (!states.ok()) return fail(states.error());
  Print(MigrationReport(*states));
  return 0;
}

void AddRebuild(CLI::App& app, RebuildArguments& arguments, int& code) {
  CLI::App* rebuild = app.add_subcommand(
      "rebuild",
      "Makes the projections anew from what has landed, while no projector runs. Exit: 0 done, 1 "
      "refused or broken off, 2 misconfigured.");
  rebuild->add_option("--tenant", arguments.tenants, "Of that tenant's database alone");
  rebuild->add_flag("--again", arguments.again, "One was broken off, and none is running");
  rebuild->add_flag("--without-expired", arguments.without_expired,
                    "What was made of expired documents may go");
  rebuild->callback([&] {
    code = WithConfig([&](const Config& config, const Log& log) {
      return RebuildProjections(arguments, config, log);
    });
  });
}

void AddErase(CLI::App& app, EraseArguments& arguments, int& code) {
  CLI::App* erase = app.add_subcommand(
      "erase",
      "Removes everything that is kept of a tenant or an asset; without --yes it only counts. "
      "Exit: 0 done, 1 a database failed, 2 misconfigured.");
  erase->add_option("--tenant", arguments.tenant, "Of this tenant")->required();
  erase->add_option("--asset", arguments.asset, "Of this asset of the tenant alone");
  erase->add_flag("--yes", arguments.yes, "Removes it for good");
  erase->callback([&] {
    code = WithConfig(
        [&](const Config& config, const Log& log) { return EraseSubject(arguments, config, log); });
  });
}

void AddReplay(CLI::App& app, ReplayArguments& arguments, int& code) {
  CLI::App* replay = app.add_subcommand(
      "replay-dlq",
      "Puts dead letters through the landing again. Exit: 0 all chosen ones are there, 1 not all, "
      "2 misconfigured.");
  replay->add_option("--reason", arguments.reason, "Only those of that kind of reason");
  replay->add_option("--tenant", arguments.tenant, "Only that tenant's");
  replay->add_option("--topic", arguments.topic, "Only those that were in that topic");
  replay->add_option("--from", arguments.from, "Only those set aside at or after that time");
  replay->add_option("--to", arguments.to, "Only those set aside before that time");
  replay->add_option("--limit", arguments.limit, "No more than that many");
  replay->add_flag("--dry-run", arguments.dry_run, "Decodes and counts; writes nothing");
  replay->callback([&] {
    code = WithConfig([&](const Config& config, const Log& log) {
      return ReplayDeadLetters(arguments, config, log);
    });
  });
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Brings records from Kafka into MongoDB or SQLite, each once.\n"
      "Settings are environment variables: `tidegate-reader check` shows them all.");
  app.require_subcommand(1);
  int code = 0;
  app.add_subcommand("run",
                     "Runs until SIGTERM or SIGINT. Exit: 0 stopped, 1 failed, 2 misconfigured.")
      ->callback([&] { code = WithConfig(Run); });
  app.add_subcommand("check",
                     "Prints every setting and where it came from, and all problems at once. Exit: "
                     "0 fine, 2 problems.")
      ->callback([&] { code = Check(); });
  bool dry_run = false;
  CLI::App* migrate = app.add_subcommand("migrate",
                                         "Brings the database to what this version expects; `run` "
                                         "does it too. Exit: 0 done, 1 failed, "
                                         "2 misconfigured.");
  migrate->add_flag("--dry-run", dry_run, "Only tells what is pending");
  migrate->callback([&] {
    code = WithConfig([&](const Config& config, const Log& log) {
      return MigrateDatabase(dry_run, config, log);
    });
  });
  ReplayArguments replay;
  AddReplay(app, replay, code);
  EraseArguments erase;
  AddErase(app, erase, code);
  RebuildArguments rebuild;
  AddRebuild(app, rebuild, code);
  app.add_subcommand("version", "Prints the version.")->callback([] {
    Print("tidegate-reader " TIDEGATE_VERSION "\n");
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kMisconfigured;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tidegate-reader: %s\n", error.what());
    return kFailed;
  }
  return code;
}

}  // namespace
}  // namespace tidegate::reader

int main(int argc, char** argv) {
  return tidegate::FinishOutput(tidegate::reader::Main(argc, argv));
}
