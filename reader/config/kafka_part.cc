#include <algorithm>
#include <array>

#include "core/kafka/kafka_property.h"
#include "reader/config/loader.h"
#include "reader/consume/kafka_settings.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kKafkaPrefix = "TIDEGATE_KAFKA_";
constexpr std::array kBootstrap{Alias{"KAFKA_BOOTSTRAP_SERVERS"}, Alias{"KAFKA_BROKER"}};
constexpr std::array kUsername{Alias{"KAFKA_USERNAME"}};
constexpr std::array kPassword{Alias{"KAFKA_PASSWORD"}};
constexpr std::array kGroup{Alias{"KAFKA_GROUP_ID"}};
constexpr std::array kCommitInterval{Alias{"COMMIT_INTERVAL_MS"}};
constexpr std::array kClient{Alias{"FD_SERVICE_NAME"}};

std::string VariableOf(std::string_view property) {
  return std::string(kKafkaPrefix) + kafka::PropertyToEnvironment(property);
}

// What a misspelt name contains may be a secret as well.
std::string Shown(const std::string& property, const std::string& value) {
  return kafka::IsSecretProperty(property) || !kafka::IsKnownProperty(property) ? "***" : value;
}
}  // namespace

void Loader::SetKafka(std::string_view property, std::span<const Alias> aliases) {
  const std::string name = VariableOf(property);
  const auto found = environment_.Find(name, aliases);
  if (!found || config_.kafka_settings.contains(std::string(property))) return;
  config_.kafka_settings[std::string(property)] = found->value;
  Show(name, Shown(std::string(property), found->value), found->origin);
}

// systemd may list several folders; the first is the unit's own.
std::string Loader::StateFolder() {
  const auto state = environment_.Find("", std::array{Alias{"STATE_DIRECTORY"}});
  return state ? state->value.substr(0, state->value.find(':')) : "";
}

void Loader::LoadKafka() {
  for (const auto& [suffix, found] : environment_.WithPrefix(kKafkaPrefix)) {
    const std::string property = kafka::EnvironmentToProperty(suffix);
    config_.kafka_settings[property] = found.value;
    Show(found.origin, Shown(property, found.value), found.origin);
  }
  SetKafka("bootstrap.servers", kBootstrap);
  SetKafka("sasl.username", kUsername);
  SetKafka("sasl.password", kPassword);
  SetKafka("group.id", kGroup);
  SetKafka("auto.commit.interval.ms", kCommitInterval);
  SetKafka("client.id", kClient);

  auto credentials = kafka::CredentialProperties(credentials_);
  if (credentials.ok()) {
    config_.kafka_credentials = std::move(credentials).value();
  } else {
    Problem("credentials", credentials.error().message);
  }
  ShowKafka();
  for (const kafka::Problem& problem :
       FindKafkaProblems(config_.kafka_settings, config_.kafka_credentials)) {
    Problem(problem.property.empty() ? "kafka" : VariableOf(problem.property), problem.message);
  }
}

void Loader::ShowKafka() {
  kafka::Properties& settings = config_.kafka_settings;
  const auto has = [&](const char* property) {
    return settings.contains(property) || config_.kafka_credentials.contains(property);
  };
  for (const auto& [property, value] : config_.kafka_credentials) {
    Show(VariableOf(property), "***", "credential kafka." + property);
  }
  const bool consumes = config_.roles.land || config_.roles.project;
  if (consumes && !has("bootstrap.servers") && !has("metadata.broker.list")) {
    Problem("TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "is needed: host:port of one or more brokers");
  }
  if (const std::string folder = StateFolder(); !folder.empty() && !has("group.instance.id")) {
    config_.instance_file = folder + "/instance-id";
    Show("TIDEGATE_KAFKA_GROUP_INSTANCE_ID", "kept in " + config_.instance_file, "default");
  }
  if (!has("group.id")) Show("TIDEGATE_KAFKA_GROUP_ID", "tidegate-reader", "default");
  // librdkafka ignores a user and a password without a security protocol; other clients use this
  // one.
  if (has("sasl.password") && !has("security.protocol")) {
    settings["security.protocol"] = "sasl_plaintext";
    Show("TIDEGATE_KAFKA_SECURITY_PROTOCOL", "sasl_plaintext", "default with a password");
    if (!has("sasl.mechanism") && !has("sasl.mechanisms")) settings["sasl.mechanisms"] = "PLAIN";
    config_.warnings.push_back(
        "the Kafka password travels unencrypted; set TIDEGATE_KAFKA_SECURITY_PROTOCOL=sasl_ssl if "
        "the brokers can");
  }
}

}  // namespace tidegate::reader
