#include "reader/config/loader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/check.h"
#include "core/nearest.h"
#include "core/quantity.h"
#include "reader/consume/kafka_settings.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr std::array kBatchRecords{Alias{"BATCH_SIZE"}};
constexpr std::array kBatchInterval{Alias{"FLUSH_INTERVAL", "", "s"}};
constexpr std::array kMaxRetries{Alias{"FD_MAX_RETRIES"}, Alias{"MAX_RETRIES"}};
constexpr std::array kRetryDelay{Alias{"FD_RETRY_DELAY", "", "s"}};
constexpr std::array kDlqTopic{Alias{"DLQ_TOPIC"}};
constexpr std::array kHttpListen{Alias{"FD_METRICS_PORT", ":"}};
constexpr std::array kLogLevel{Alias{"FD_LOG_LEVEL"}};

constexpr unsigned kMaxConnections = 128;

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}
}  // namespace

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (const std::string_view word = Trim(text.substr(0, comma)); !word.empty())
      words.emplace_back(word);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return words;
}

Found Loader::Text(std::string_view name, std::span<const Alias> aliases,
                   std::string_view fallback) {
  Found found = environment_.Find(name, aliases).value_or(Found{std::string(fallback), "default"});
  Show(name, found.value, found.origin);
  return found;
}

uint64_t Loader::Number(std::string_view name, std::span<const Alias> aliases, uint64_t fallback,
                        uint64_t least, uint64_t most) {
  CHECK(least <= fallback && fallback <= most, "a default is in its range");
  const Found found = Text(name, aliases, std::to_string(fallback));
  uint64_t number = 0;
  const char* end = found.value.data() + found.value.size();
  const auto parsed = std::from_chars(found.value.data(), end, number);
  if (parsed.ec == std::errc{} && parsed.ptr == end && number >= least && number <= most)
    return number;
  Problem(found.origin,
          fmt::format("'{}' is not a number from {} to {}", found.value, least, most));
  return fallback;
}

milliseconds Loader::Duration(std::string_view name, std::span<const Alias> aliases,
                              milliseconds fallback, milliseconds least, milliseconds most) {
  CHECK(least <= fallback && fallback <= most, "a default is in its range");
  const Found found = Text(name, aliases, FormatDuration(fallback));
  const auto duration = ParseDuration(found.value);
  if (duration && *duration >= least && *duration <= most) return *duration;
  Problem(found.origin, fmt::format("'{}' is not a duration from {} to {}, such as 500ms or 5s",
                                    found.value, FormatDuration(least), FormatDuration(most)));
  return fallback;
}

void Loader::LoadLimits() {
  Worker::Options& worker = config_.worker;
  worker.batch_records =
      Number("TIDEGATE_BATCH_RECORDS", kBatchRecords, worker.batch_records, 1, 100'000);
  const Found bytes = Text("TIDEGATE_BATCH_BYTES", {}, FormatBytes(worker.batch_bytes));
  if (const auto parsed = ParseBytes(bytes.value);
      parsed && *parsed >= 1'024 && *parsed <= (32u << 20)) {
    worker.batch_bytes = *parsed;
  } else {
    Problem(bytes.origin, fmt::format("'{}' is not a size from 1KiB to 32MiB", bytes.value));
  }
  // At most half of the time after which Kafka revokes the partitions of a member that does not
  // poll.
  worker.batch_interval = Duration("TIDEGATE_BATCH_INTERVAL", kBatchInterval, worker.batch_interval,
                                   milliseconds(1), std::chrono::seconds(150));
  worker.max_attempts =
      static_cast<int>(Number("TIDEGATE_MAX_RETRIES", kMaxRetries, 3, 0, 1'000)) + 1;
  worker.backoff.max = Duration("TIDEGATE_RETRY_DELAY", kRetryDelay, std::chrono::seconds(30),
                                milliseconds(100), std::chrono::minutes(10));
  worker.backoff.initial = std::min(worker.backoff.initial, worker.backoff.max);
}

// Only where tenants have databases of their own can one of them fail alone.
void Loader::LoadParking() {
  const Found topic = Text("TIDEGATE_PARKING_TOPIC", {}, "telemetry.parked");
  if (topic.value == "off" || config_.decoder.tenancy != Tenancy::kDatabase) return;
  config_.parking_topic = topic.value;
  if (topic.value == config_.dlq_topic)
    Problem(topic.origin, "is the topic of the dead letters, which are not landed again");
}

void Loader::LoadProcess() {
  config_.dlq_topic = Text("TIDEGATE_DLQ_TOPIC", kDlqTopic, "telemetry.dlq").value;
  LoadParking();
  config_.workers = Number("TIDEGATE_WORKERS", {}, 1, 1, 64);
  const Found listen = Text("TIDEGATE_HTTP_LISTEN", kHttpListen, "127.0.0.1:8002");
  if (listen.value == "off" && config_.roles == Roles{.land = false, .project = false})
    Problem(listen.origin, "a process that only answers needs a port");
  if (listen.value != "off") {
    const auto options = http::ParseListen(listen.value);
    if (options.ok()) {
      config_.http = *options;
      // More than the queries that may wait for an answer, so that a probe always finds room.
      config_.http->max_connections = kMaxConnections;
    } else {
      Problem(listen.origin, options.error().message);
    }
  }
  const Found level = Text("TIDEGATE_LOG_LEVEL", kLogLevel, "info");
  if (const auto parsed = ParseLogLevel(level.value)) {
    config_.log_level = *parsed;
  } else {
    Problem(level.origin, fmt::format("'{}' is none of error, warning, info, debug", level.value));
  }
}

void Loader::FindUnknownNames() {
  for (const std::string& name : environment_.Unknown()) {
    const auto nearest = Nearest(name, environment_.Known());
    Problem(name, nearest ? fmt::format("there is no such setting; did you mean {}?", *nearest)
                          : "there is no such setting");
  }
}

// A secret under a wrong name is a login that fails, or a database that is not the one meant.
void Loader::FindUnreadCredentials() {
  std::vector<std::string> known{"landing.uri", "tenants.json", "api.tokens"};
  for (const std::string& tenant : config_.decoder.tenants)
    known.push_back(fmt::format("landing.{}.uri", tenant));
  for (const EnrichSource& source : config_.enrichment.sources)
    known.push_back(fmt::format("enrich.{}.header", source.name));
  for (const std::string& name : credentials_.Names()) {
    // Those of Kafka, and of names that do not exist, have problems of their own.
    const bool has_problem = name.starts_with("kafka.") ||
                             (name.starts_with("landing.") && name.ends_with(".uri")) ||
                             (name.starts_with("enrich.") && name.ends_with(".header"));
    if (has_problem || std::ranges::count(known, name) > 0) continue;
    const std::string text = fmt::format("credential {}: the reader reads none of this name", name);
    if (const auto nearest = Nearest(name, known)) {
      config_.problems.push_back(fmt::format("{}; did you mean {}?", text, *nearest));
    } else {
      config_.warnings.push_back(text);
    }
  }
}

Config Loader::Load() {
  LoadRoles();
  LoadKafka();
  LoadStreams();
  LoadRules();
  LoadLanding();
  LoadTenants();
  LoadEnrichment();
  LoadRetention();
  LoadTenantLandings();
  LoadLimits();
  LoadProjections();
  LoadProcess();
  KeepStreamsOff(config_.dlq_topic, "the dead-letter topic");
  if (!config_.parking_topic.empty()) KeepStreamsOff(config_.parking_topic, "the parking topic");
  LoadApi();
  FindUnknownNames();
  FindUnreadCredentials();
  return std::move(config_);
}

Config LoadConfig(Environment environment, const Credentials& credentials) {
  return Loader(std::move(environment), credentials).Load();
}

std::string ConfigReport(const Config& config) {
  std::string report;
  size_t width = 0;
  for (const Setting& setting : config.settings) width = std::max(width, setting.name.size());
  for (const Setting& setting : config.settings) {
    report +=
        fmt::format("{:<{}} = {}  ({})\n", setting.name, width, setting.value, setting.origin);
  }
  for (const std::string& warning : config.warnings) report += "warning: " + warning + "\n";
  for (const std::string& problem : config.problems) report += "problem: " + problem + "\n";
  return report;
}

}  // namespace tidegate::reader
