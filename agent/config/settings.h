// What the environment says, in the shape that the agent needs, together with where each value came
// from and all that is wrong with it. The only place of the agent that knows variables. Pure but
// for reading credentials and the machine's id.
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
#include "uplink/send_limits.h"

namespace tidegate {

using Environment = std::map<std::string, std::string>;
// The process's own: extern environ.
Environment ProcessEnvironment();

struct Settings {
  std::string gateway_id;
  Pipeline::Options pipeline;
  std::vector<Rule> rules;
  std::vector<InputConfig> inputs;
  std::string store_dir;
  uint64_t store_max_bytes = 256 * 1024 * 1024;
  bool store_stop_reading =
      false;  // When full: pause the sources instead of giving up the oldest records.
  bool power_safe =
      true;  // Every commit is fsynced; false: it survives a crash of the process only.
  // librdkafka's names, from the environment and from credentials; both empty: nothing is sent.
  std::map<std::string, std::string> kafka;
  std::map<std::string, std::string> kafka_credentials;
  Topics topics;
  std::vector<BudgetLimit> uplink_budgets;
  std::vector<SendWindow> uplink_windows;
  unsigned uplink_live_share_percent = 20;
  std::chrono::milliseconds uplink_linger{2'000};
  std::optional<http::Server::Options> http;
  std::string control_socket;
  LogLevel log_level = LogLevel::kInfo;
  std::chrono::milliseconds stop_timeout{5'000};  // For the uplink to empty its hands at SIGTERM.
};

// One line of `check`.
struct EffectiveSetting {
  std::string name;
  std::string value;   // "(hidden)" for a secret.
  std::string origin;  // environment, credential, default.
};

struct LoadedSettings {
  Settings settings;
  std::vector<EffectiveSetting> effective;
  std::vector<std::string> problems;  // For people, each naming its variable. Not empty: the
                                      // settings are not to be used.
  std::vector<std::string> warnings;
};

LoadedSettings LoadSettings(const Environment& environment, const Credentials& credentials);

// Where the running agent's socket and store are, for the verbs that only look: the environment's
// word, then the places of the packaged service, then those of an agent started by hand here.
std::string FindControlSocket(const Environment& environment);
std::string FindStoreDir(const Environment& environment);
std::string FindGatewayId(const Environment& environment);

// The store's file in its folder.
std::string StorePath(const std::string& store_dir);

}  // namespace tidegate
