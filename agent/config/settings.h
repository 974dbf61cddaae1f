// Turns the environment and the credentials into the agent's settings, with the origin of each
// value and every problem at once. Only this folder knows variables. Pure, except that it reads
// credentials and the machine's id.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/pipeline/pipeline.h"
#include "core/credentials.h"
#include "core/http/server.h"
#include "core/log.h"
#include "core/rules/rules.h"
#include "core/wire/wire_message.h"
#include "drivers/registry.h"
#include "uplink/gate/send_limits.h"

namespace tidegate {

using Environment = std::map<std::string, std::string>;
// The variables of this process.
Environment ProcessEnvironment();

struct Settings {
  std::string gateway_id;
  Pipeline::Options pipeline;
  std::vector<Rule> rules;
  std::vector<InputConfig> inputs;
  std::string store_dir;
  // Of the database and its write-ahead log. Larger: longer outages of the uplink without loss.
  uint64_t store_max_bytes = 256 * 1024 * 1024;
  // When the store is full: pause the sources instead of dropping the oldest records.
  bool store_stop_reading = false;
  // Every commit is fsynced. False: a commit survives a crash of the process only.
  bool power_safe = true;
  // Properties under librdkafka's names, from the environment and from credentials. Both empty:
  // nothing is sent.
  std::map<std::string, std::string> kafka;
  std::map<std::string, std::string> kafka_credentials;
  Topics topics;
  // Empty: no limit.
  std::vector<BudgetLimit> uplink_budgets;
  // Empty: sending is always allowed.
  std::vector<SendWindow> uplink_windows;
  // Percentage of the link for the class with the smaller backlog while both wait.
  unsigned uplink_live_share_percent = 20;
  // How long heartbeats and readings wait for others to be sent with. Longer: fewer bytes a record.
  std::chrono::milliseconds uplink_linger{2'000};
  // nullopt: no HTTP server.
  std::optional<http::Server::Options> http;
  // Path of the socket that `status` and `tail --follow` connect to.
  std::string control_socket;
  LogLevel log_level = LogLevel::kInfo;
  // How long a stop waits for the reports of records that the uplink has sent.
  std::chrono::milliseconds stop_timeout{5'000};
};

// One line of what `check` prints.
struct EffectiveSetting {
  std::string name;
  // "(hidden)" for a secret.
  std::string value;
  // environment, credential, default.
  std::string origin;
};

struct LoadedSettings {
  Settings settings;
  std::vector<EffectiveSetting> effective;
  // For people, each naming its variable. If there is any, the settings must not be used.
  std::vector<std::string> problems;
  // For people; the settings can be used.
  std::vector<std::string> warnings;
};

// Never fails: what is wrong is in the problems.
LoadedSettings LoadSettings(const Environment& environment, const Credentials& credentials);

// Return the running agent's socket, store folder and gateway id, for the verbs that only look. The
// variable decides, then the folders that systemd assigned, then those of the packaged service if
// this user may read them, else ./data.
std::string FindControlSocket(const Environment& environment);
std::string FindStoreDir(const Environment& environment);
std::string FindGatewayId(const Environment& environment);

// Returns the store's file in its folder.
std::string StorePath(const std::string& store_dir);

}  // namespace tidegate
