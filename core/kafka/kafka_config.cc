#include "core/kafka/kafka_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/kafka/kafka_handle.h"
#include "core/kafka/kafka_property.h"
#include "core/nearest.h"

namespace tidegate::kafka {

namespace {
constexpr size_t kMessageBytes = 512;
constexpr std::string_view kCredentialPrefix = "kafka.";

// Returns the value that the library would use; nullopt if the property has none.
std::optional<std::string> ValueOf(const rd_kafka_conf_t* conf, const std::string& name) {
  std::array<char, kMessageBytes> buffer{};
  size_t size = buffer.size();
  if (rd_kafka_conf_get(conf, name.c_str(), buffer.data(), &size) != RD_KAFKA_CONF_OK) {
    return std::nullopt;
  }
  return std::string(buffer.data());
}

// The library has no values of topic properties before the first is set, unless there is a topic
// configuration.
ConfHandle NewConf() {
  ConfHandle conf(rd_kafka_conf_new());
  rd_kafka_conf_set_default_topic_conf(conf.get(), rd_kafka_topic_conf_new());
  return conf;
}

std::string UnknownProperty(const std::string& name) {
  std::string message = fmt::format("{}: librdkafka has no such property", name);
  if (const auto nearest = Nearest(name, KnownProperties())) {
    message += fmt::format("; did you mean {}?", *nearest);
  }
  return message;
}

// Sets one property. Returns the problem; nullopt: there is none.
std::optional<std::string> Set(rd_kafka_conf_t* conf, const std::string& name,
                               const std::string& value) {
  if (!std::ranges::binary_search(KnownProperties(), name)) return UnknownProperty(name);
  std::array<char, kMessageBytes> reason{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) ==
      RD_KAFKA_CONF_OK) {
    return std::nullopt;
  }
  if (IsSecretProperty(name)) return fmt::format("{}: the library refuses this value", name);
  return fmt::format("{}: {}", name, reason.data());
}

// One setting may change a forced property under another name (linger.ms is also
// queue.buffering.max.ms), so each is tried on a fresh configuration.
std::optional<std::string> Contradiction(const std::string& name, const std::string& value,
                                         const std::vector<ForcedProperty>& forced) {
  const ConfHandle untouched = NewConf();
  const ConfHandle with_setting = NewConf();
  if (Set(with_setting.get(), name, value)) return std::nullopt;
  for (const ForcedProperty& rule : forced) {
    const ConfHandle with_rule = NewConf();
    Set(with_rule.get(), rule.name, rule.value);
    const auto set_to = ValueOf(with_setting.get(), rule.name);
    const bool touched = name == rule.name || set_to != ValueOf(untouched.get(), rule.name);
    if (touched && set_to != ValueOf(with_rule.get(), rule.name)) {
      return fmt::format("{}: must be {}: {}", name, rule.value, rule.why);
    }
  }
  return std::nullopt;
}

Properties UserProperties(const ConfigRequest& request) {
  Properties user = request.credentials;
  user.insert(request.settings.begin(), request.settings.end());
  return user;
}

// Returns the configuration with all values that the library accepts, and adds the problems of the
// others to `problems` unless that is null.
ConfHandle Assemble(const ConfigRequest& request, std::vector<Problem>* problems) {
  ConfHandle conf = NewConf();
  const auto apply = [&](const std::string& name, const std::string& value) {
    auto problem = Set(conf.get(), name, value);
    if (problem && problems != nullptr) problems->push_back({name, std::move(*problem)});
  };
  for (const auto& [name, value] : request.defaults) apply(name, value);
  for (const auto& [name, value] : UserProperties(request)) apply(name, value);
  for (const ForcedProperty& rule : request.forced) apply(rule.name, rule.value);
  return conf;
}
}  // namespace

void ConfDeleter::operator()(rd_kafka_conf_s* conf) const {
  rd_kafka_conf_destroy(conf);
}

std::vector<Problem> FindProblems(const ConfigRequest& request) {
  std::vector<Problem> problems;
  Assemble(request, &problems);
  for (const auto& [name, value] : UserProperties(request)) {
    if (auto problem = Contradiction(name, value, request.forced)) {
      problems.push_back({name, std::move(*problem)});
    }
  }
  return problems;
}

std::vector<Problem> FindAllProblems(Role role, const ConfigRequest& request) {
  std::vector<Problem> problems = FindProblems(request);
  if (!problems.empty()) return problems;
  ConfigRequest offline = request;
  for (const char* name : {"bootstrap.servers", "metadata.broker.list"}) {
    offline.settings.erase(name);
    offline.credentials.erase(name);
    offline.defaults.erase(name);
  }
  ConfHandle conf = Assemble(offline, nullptr);
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  std::array<char, kMessageBytes> reason{};
  const auto type = role == Role::kProducer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  const ClientHandle client(rd_kafka_new(type, conf.get(), reason.data(), reason.size()));
  if (client) {
    static_cast<void>(conf.release());
  } else {
    problems.push_back({"", fmt::format("kafka client: {}", reason.data())});
  }
  return problems;
}

Result<ConfHandle> MakeConf(const ConfigRequest& request) {
  const std::vector<Problem> problems = FindProblems(request);
  if (problems.empty()) return Assemble(request, nullptr);
  std::string all;
  for (const Problem& problem : problems) {
    all += (all.empty() ? "" : "; ") + problem.message;
  }
  return Error{ErrorCode::kInvalid, fmt::format("configure kafka: {}", all)};
}

Result<Properties> CredentialProperties(const Credentials& credentials) {
  Properties properties;
  for (const std::string& name : credentials.Names()) {
    if (!name.starts_with(kCredentialPrefix)) continue;
    Result<std::optional<std::string>> content = credentials.Read(name);
    if (!content.ok()) return content.error();
    if (*content) properties[name.substr(kCredentialPrefix.size())] = std::move(**content);
  }
  return properties;
}

}  // namespace tidegate::kafka
