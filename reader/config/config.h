// Everything that the reader is told from outside: environment variables and credentials, ours and
// those of the readers that it replaces. All problems are found at once. README.md lists the
// variables.
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
#include "reader/decode/decoder.h"
#include "reader/decode/stream.h"
#include "reader/enrich/enrichment.h"
#include "reader/land/worker.h"
#include "reader/project/projector.h"
#include "reader/roles.h"
#include "reader/serve/api.h"

namespace tidegate::reader {

struct Config {
  kafka::Properties kafka_settings;
  kafka::Properties kafka_credentials;
  // Where the static name of this installation's members is kept; empty: none has one, or the
  // settings name it.
  std::string instance_file;
  std::string landing;  // May hold a password.
  // Tenants' own servers, by their database's name. Likewise.
  std::map<std::string, std::string> landing_of_database;
  std::vector<Stream> streams;
  std::vector<Rule> rules;  // The server's own, for streams whose devices have no gateway.
  Decoder::Options decoder;
  Worker::Options worker;
  Projector::Options projector;
  Enrichment::Options enrichment;
  std::string dlq_topic;
  Roles roles;
  size_t workers = 1;                         // Each lands, if this process lands at all.
  size_t project_workers = 1;                 // Each projects, likewise.
  std::optional<http::Server::Options> http;  // nullopt: off.
  ApiOptions api;
  LogLevel log_level = LogLevel::kInfo;

  // For `check`; secrets are hidden.
  std::vector<Setting> settings;
  std::vector<std::string> problems;  // Not empty: the reader must not run.
  std::vector<std::string> warnings;
};

// Asks neither network nor database.
Config LoadConfig(Environment environment, const Credentials& credentials);

// What `check` prints: every effective value and where it came from, then warnings, then problems.
std::string ConfigReport(const Config& config);

}  // namespace tidegate::reader
