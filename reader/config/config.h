// The reader's configuration: environment variables and credentials, under our names and those of
// the readers that it replaces. Loading it finds all problems at once. reader/README.md lists the
// variables. One thread while it is loaded, then immutable.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/credentials.h"
#include "core/http/server.h"
#include "core/kafka/kafka_config.h"
#include "core/log.h"
#include "core/rules/rules.h"
#include "reader/config/environment.h"
#include "reader/config/live_lists.h"
#include "reader/decode/decoder.h"
#include "reader/decode/stream.h"
#include "reader/enrich/enrichment.h"
#include "reader/land/worker.h"
#include "reader/project/projector.h"
#include "reader/roles.h"
#include "reader/serve/api.h"

namespace tidegate::reader {

// The defaults of the members are those of the settings, except where LoadConfig() sets another.
struct Config {
  // librdkafka's properties, and those that came from credentials.
  kafka::Properties kafka_settings;
  kafka::Properties kafka_credentials;
  // The file that holds the static group member name of this installation. Empty: the members have
  // no static name, or the Kafka settings give it.
  std::string instance_file;
  // The database's URI. It may contain a password.
  std::string landing;
  // URIs of the servers that single tenants have, by the name of the tenant's database. They may
  // contain passwords.
  std::map<std::string, std::string> landing_of_database;
  std::vector<Stream> streams;
  // The reader's own rules, for streams whose devices have no gateway.
  std::vector<Rule> rules;
  Decoder::Options decoder;
  Worker::Options worker;
  Projector::Options projector;
  Enrichment::Options enrichment;
  std::string dlq_topic;
  // Where records of a database wait that fails alone; empty: every outage is waited for.
  std::string parking_topic;
  Roles roles;
  // How many threads land, if the roles include landing.
  size_t workers = 1;
  // How many threads project, if the roles include projecting.
  size_t project_workers = 1;
  // nullopt: HTTP is off.
  std::optional<http::Server::Options> http;
  ApiOptions api;
  // The lists that may change while the reader runs.
  LiveLists::Options live;
  LogLevel log_level = LogLevel::kInfo;

  // Every setting with its effective value, for `check`. Secrets are replaced by ***.
  std::vector<Setting> settings;
  // The reader must not run while there are any.
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
};

// Loads the configuration. It reads files that settings name, but connects neither to Kafka nor to
// a database.
Config LoadConfig(Environment environment, const Credentials& credentials);

// Returns what `check` prints: every effective value with its origin, then warnings, then problems.
std::string ConfigReport(const Config& config);

}  // namespace tidegate::reader
