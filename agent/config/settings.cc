#include "agent/config/settings.h"

#include <fmt/format.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <iterator>
#include <set>

#include "agent/config/unread_credentials.h"
#include "agent/config/variables.h"
#include "core/kafka/kafka_config.h"
#include "core/nearest.h"
#include "core/quantity.h"
#include "core/secrets.h"
#include "uplink/uplink_config.h"

namespace tidegate {

namespace {

constexpr std::string_view kPrefix = "TIDEGATE_";

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// Returns an id that is stable for a machine and differs between machines, but is not the
// machine-id itself, which must stay private (machine-id(5)).
std::string DefaultGatewayId() {
  const sd_id128_t application =
      SD_ID128_MAKE(5b, 0d, 1c, 8e, 7a, 42, 4f, 0e, 9d, 6f, 21, c3, 90, 8a, 4e, 77);
  sd_id128_t id{};
  if (sd_id128_get_machine_app_specific(application, &id) < 0) return {};
  std::string text = "gw-";
  for (int i = 0; i < 6; ++i) text += fmt::format("{:02x}", id.bytes[i]);
  return text;
}

std::string FirstOf(const std::string& paths) {
  return paths.substr(0, paths.find(':'));
}

std::string NameTwice(const std::string& variable) {
  return fmt::format(
      "{}: another variable's name differs from it only in upper and lower case, "
      "which the names of metrics and credentials ignore; rename one",
      variable);
}

class Loader {
 public:
  Loader(const Environment& environment, const Credentials& credentials)
      : environment_(environment), credentials_(credentials) {}

  LoadedSettings Load() {
    LoadSingles();
    for (const auto& [name, value] : environment_) {
      if (name.starts_with(kPrefix)) LoadListed(name, value);
    }
    LoadKafkaCredentials();
    CheckCredentialNames();
    CheckWhole();
    return std::move(loaded_);
  }

 private:
  using Parse = std::function<bool(const std::string&)>;

  void Problem(std::string text) { loaded_.problems.push_back(std::move(text)); }
  // A message about a value that may hold a secret, of which the message may repeat a part.
  void Problem(const std::string& name, std::string_view value, const std::string& message) {
    const bool has_secret = HideSecrets(value) != value;
    Problem(fmt::format("{}: {}", name, has_secret ? HideSecrets(message) : message));
  }
  void Show(std::string name, std::string value, std::string origin) {
    loaded_.effective.push_back({std::move(name), std::move(value), std::move(origin)});
  }
  // Empty counts as unset, so that a drop-in can undo what another one set.
  const std::string* Find(const std::string& name) const {
    const auto found = environment_.find(name);
    return found == environment_.end() || found->second.empty() ? nullptr : &found->second;
  }

  // Reads one variable. `parse` stores the value and returns false if it is malformed; `expected`
  // completes "is not ...".
  void Single(const std::string& name, const std::string& fallback, std::string_view expected,
              const Parse& parse) {
    const std::string* value = Find(name);
    Show(name, value ? *value : fallback, value ? "environment" : "default");
    if (value && !parse(*value))
      Problem(fmt::format("{}: \"{}\" is not {}", name, *value, expected));
  }

  void LoadSingles();
  void LoadStore();
  void LoadTopics();
  void LoadUplink();
  void LoadPlaces();
  void LoadListed(const std::string& name, const std::string& value);
  void LoadInput(const std::string& name, const std::string& text);
  void LoadRule(const std::string& name, const std::string& text);
  void LoadKafka(const std::string& name, const std::string& value);
  void LoadKafkaCredentials();
  void CheckCredentialNames();
  void CheckWhole();
  void CheckTenants();
  void CheckTopics();
  void CheckKafka();

  const Environment& environment_;
  const Credentials& credentials_;
  LoadedSettings loaded_;
  Settings& settings_ = loaded_.settings;
  // "input local", "rule hot": in lower case, as metrics and dead letters name them.
  std::set<std::string> names_;
  // In lower case; those of wrong inputs as well.
  std::vector<std::string> input_names_;
};

void Loader::LoadSingles() {
  settings_.gateway_id = DefaultGatewayId();
  Single("TIDEGATE_GATEWAY_ID", settings_.gateway_id, "1 to 64 of A-Z a-z 0-9 . _ -",
         [&](const std::string& text) {
           settings_.gateway_id = text;
           return IsTenantName(text);  // The same alphabet: ids are "gateway:...".
         });
  Single("TIDEGATE_TENANT", "-", "a tenant name: 1 to 64 of A-Z a-z 0-9 . _ -",
         [&](const std::string& text) {
           settings_.pipeline.default_tenant = text;
           return IsTenantName(text);
         });
  Single("TIDEGATE_TENANTS", "any", "a list of tenant names with commas",
         [&](const std::string& text) {
           settings_.pipeline.tenants = SplitList(text);
           return std::ranges::all_of(settings_.pipeline.tenants, IsTenantName);
         });
  Single("TIDEGATE_COMMIT_INTERVAL", "200ms", "a duration from 1ms to 1m, like 200ms",
         [&](const std::string& text) {
           const auto value = ParseDuration(text);
           if (value) settings_.pipeline.commit_interval = *value;
           return value && *value >= std::chrono::milliseconds(1) &&
                  *value <= std::chrono::minutes(1);
         });
  Single("TIDEGATE_COMMIT_RECORDS", "1000", "a whole number from 1 to 100000",
         [&](const std::string& text) {
           const auto value = ParseCount(text);
           if (value) settings_.pipeline.commit_records = *value;
           return value && *value >= 1 && *value <= 100'000;
         });
  Single("TIDEGATE_LOG_LEVEL", "info", "error, warning, info or debug",
         [&](const std::string& text) {
           const auto value = ParseLogLevel(text);
           if (value) settings_.log_level = *value;
           return value.has_value();
         });
  LoadStore();
  LoadTopics();
  LoadUplink();
  LoadPlaces();
}

void Loader::LoadStore() {
  Single("TIDEGATE_STORE_MAX_BYTES", "256MiB", "a size of at least 1MiB, like 256MiB",
         [&](const std::string& text) {
           const auto value = ParseBytes(text);
           if (value) settings_.store_max_bytes = *value;
           return value && *value >= 1024 * 1024;
         });
  Single("TIDEGATE_STORE_FULL", "drop-oldest", "drop-oldest or stop-reading",
         [&](const std::string& text) {
           settings_.store_stop_reading = text == "stop-reading";
           return settings_.store_stop_reading || text == "drop-oldest";
         });
  Single("TIDEGATE_DURABILITY", "power-safe", "power-safe or process-safe",
         [&](const std::string& text) {
           settings_.power_safe = text == "power-safe";
           return settings_.power_safe || text == "process-safe";
         });
}

void Loader::LoadTopics() {
  const auto topic = [&](const char* name, std::string& target) {
    Single(name, target, "a topic: 1 to 249 of A-Z a-z 0-9 . _ - and {tenant} once, not . or ..",
           [&](const std::string& text) {
             target = text;
             return IsTopicTemplate(text) && CheckTopicTemplate(text).ok();
           });
  };
  topic("TIDEGATE_TOPIC_HEARTBEAT", settings_.topics.heartbeat);
  topic("TIDEGATE_TOPIC_READING", settings_.topics.reading);
  topic("TIDEGATE_TOPIC_ALERT", settings_.topics.alert);
  topic("TIDEGATE_TOPIC_GAP", settings_.topics.gap);
}

void Loader::LoadUplink() {
  // A list says itself which element is wrong.
  const auto list = [&](const char* name, auto parse, auto& target) {
    const std::string* value = Find(name);
    Show(name, value ? *value : "none", value ? "environment" : "default");
    if (!value) return;
    auto parsed = parse(*value);
    if (!parsed.ok()) return Problem(fmt::format("{}: {}", name, parsed.error().message));
    target = *std::move(parsed);
  };
  list("TIDEGATE_UPLINK_BUDGET", ParseBudgets, settings_.uplink_budgets);
  list("TIDEGATE_UPLINK_WINDOW", ParseWindows, settings_.uplink_windows);
  Single("TIDEGATE_UPLINK_LIVE_SHARE", "20%", "a share from 0% to 90%, like 20%",
         [&](const std::string& text) {
           if (!text.ends_with('%')) return false;
           const auto value = ParseCount(std::string_view(text).substr(0, text.size() - 1));
           if (value) settings_.uplink_live_share_percent = static_cast<unsigned>(*value);
           return value && *value <= 90;
         });
  Single("TIDEGATE_UPLINK_LINGER", "2s", "a duration from 0s to 1m, like 2s",
         [&](const std::string& text) {
           const auto value = ParseDuration(text);
           if (value) settings_.uplink_linger = *value;
           return value && *value <= std::chrono::minutes(1);
         });
}

void Loader::LoadPlaces() {
  const std::string* state = Find("STATE_DIRECTORY");
  settings_.store_dir = state ? FirstOf(*state) : "./data";
  Single("TIDEGATE_STORE_DIR", settings_.store_dir, "a path", [&](const std::string& text) {
    settings_.store_dir = text;
    return true;
  });
  const std::string* runtime = Find("RUNTIME_DIRECTORY");
  settings_.control_socket = (runtime ? FirstOf(*runtime) : settings_.store_dir) + "/control.sock";
  Single("TIDEGATE_CONTROL_SOCKET", settings_.control_socket, "a path of at most 107 bytes",
         [&](const std::string& text) {
           settings_.control_socket = text;
           return text.size() <= 107;
         });
  const std::string listen = "127.0.0.1:9464";
  settings_.http = *http::ParseListen(listen);
  Single("TIDEGATE_HTTP_LISTEN", listen, "address:port or off", [&](const std::string& text) {
    settings_.http.reset();
    if (text == "off") return true;
    const auto parsed = http::ParseListen(text);
    if (parsed.ok()) settings_.http = *parsed;
    return parsed.ok();
  });
}

void Loader::LoadListed(const std::string& name, const std::string& value) {
  if (IsSingleVariable(name)) return;
  const Family* family = FamilyOf(name);
  if (!family) {
    const auto nearest = Nearest(name, KnownNames());
    return Problem(fmt::format("{}: no such variable{}", name,
                               nearest ? fmt::format("; did you mean {}?", *nearest) : ""));
  }
  if (value.empty()) return;
  if (family->later)
    return Problem(fmt::format("{}: this version has no {} yet; take it out", name, family->what));
  const std::string element = name.substr(family->prefix.size());
  if (element.empty()) return Problem(fmt::format("{}: a name must follow the last '_'", name));
  if (family->kind == FamilyKind::kInput) LoadInput(name, value);
  if (family->kind == FamilyKind::kRule) LoadRule(name, value);
  if (family->kind == FamilyKind::kKafka) LoadKafka(name, value);
}

void Loader::LoadInput(const std::string& name, const std::string& text) {
  Show(name, HideSecrets(text), "environment");
  const std::string input_name = Lower(name.substr(std::string_view("TIDEGATE_INPUT_").size()));
  input_names_.push_back(input_name);
  const auto uri = ParseUri(text);
  if (!uri.ok()) return Problem(name, text, uri.error().message);
  const auto input = ParseInput(input_name, *uri);
  if (!input.ok()) return Problem(name, text, input.error().message);
  if (!names_.insert("input " + input->name).second) return Problem(NameTwice(name));
  settings_.inputs.push_back({*input, *uri});
  const InputConfig& config = settings_.inputs.back();
  if (Status status = CheckInput(config, credentials_, settings_.gateway_id); !status.ok()) {
    return Problem(name, text, status.error().message);
  }
  const std::string warning = InputWarning(config, credentials_, settings_.gateway_id);
  if (!warning.empty()) loaded_.warnings.push_back(fmt::format("{}: {}", name, warning));
}

void Loader::LoadRule(const std::string& name, const std::string& text) {
  Show(name, text, "environment");
  auto rule = ParseRule(Lower(name.substr(std::string_view("TIDEGATE_RULE_").size())), text);
  if (!rule.ok()) return Problem(fmt::format("{}: {}", name, rule.error().message));
  if (!names_.insert("rule " + rule->name).second) return Problem(NameTwice(name));
  settings_.rules.push_back(std::move(rule).value());
}

void Loader::LoadKafka(const std::string& name, const std::string& value) {
  const std::string property =
      kafka::EnvironmentToProperty(name.substr(std::string_view("TIDEGATE_KAFKA_").size()));
  Show(name, kafka::ShownProperty(property, value), "environment");
  if (kafka::IsSecretProperty(property)) {
    loaded_.warnings.push_back(
        fmt::format("{}: the environment shows this secret to every process of the user and to "
                    "`systemctl show`; use "
                    "LoadCredential=kafka.{}:/path instead",
                    name, property));
  }
  settings_.kafka[property] = value;
}

void Loader::LoadKafkaCredentials() {
  const auto properties = kafka::CredentialProperties(credentials_);
  if (!properties.ok()) return Problem(properties.error().message);
  for (const auto& [property, value] : *properties) {
    Show("kafka." + property, kafka::ShownProperty(property, value), "credential");
    if (kafka::IsKnownProperty(property)) settings_.kafka_credentials.emplace(property, value);
  }
}

void Loader::CheckCredentialNames() {
  auto found = FindUnreadCredentials(credentials_.Names(), input_names_);
  std::ranges::move(found.problems, std::back_inserter(loaded_.problems));
  std::ranges::move(found.warnings, std::back_inserter(loaded_.warnings));
}

void Loader::CheckWhole() {
  if (settings_.gateway_id.empty()) {
    Problem(
        "TIDEGATE_GATEWAY_ID: this machine has no machine-id to derive it from; set it, or run "
        "systemd-machine-id-setup");
  }
  if (settings_.control_socket.size() > 107) {
    Problem(
        fmt::format("TIDEGATE_CONTROL_SOCKET: {} is over the 107 bytes that a socket's path may "
                    "have; set a shorter one",
                    settings_.control_socket));
  }
  if (settings_.inputs.empty() && loaded_.problems.empty()) {
    loaded_.warnings.push_back(
        "no TIDEGATE_INPUT_<NAME> is set: nothing will be read. Example: "
        "TIDEGATE_INPUT_LOCAL=mqtt://localhost:1883/fleet/{tenant}/{asset}/heartbeat");
  }
  CheckTenants();
  CheckTopics();
  CheckKafka();
}

void Loader::CheckTenants() {
  const auto& allowed = settings_.pipeline.tenants;
  const auto refused = [&](const std::string& tenant) {
    return !allowed.empty() && !tenant.empty() && std::ranges::count(allowed, tenant) == 0;
  };
  constexpr std::string_view kWhy =
      "is not in TIDEGATE_TENANTS, so all of its records would be dead letters; add it there";
  if (refused(settings_.pipeline.default_tenant))
    Problem(fmt::format("TIDEGATE_TENANT: {} {}", settings_.pipeline.default_tenant, kWhy));
  for (const InputConfig& config : settings_.inputs) {
    if (refused(config.input.tenant))
      Problem(fmt::format("input {}: ?tenant={} {}", config.input.name, config.input.tenant, kWhy));
  }
}

void Loader::CheckTopics() {
  if (!settings_.pipeline.tenants.empty()) return;
  const Topics& topics = settings_.topics;
  for (const std::string& name : {topics.heartbeat, topics.reading, topics.alert, topics.gap}) {
    if (name.find("{tenant}") == std::string::npos) continue;
    loaded_.warnings.push_back(
        fmt::format("topic {}: any source can invent a tenant, whose topic may not exist and whose "
                    "records then stay in the store; list the tenants in TIDEGATE_TENANTS",
                    name));
    return;
  }
}

void Loader::CheckKafka() {
  if (settings_.kafka.empty() && settings_.kafka_credentials.empty()) {
    loaded_.warnings.push_back(
        "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS is not set: records are stored and not sent");
    return;
  }
  const auto given = [&](const std::string& property) {
    return settings_.kafka.contains(property) || settings_.kafka_credentials.contains(property);
  };
  if (!given("bootstrap.servers") && !given("metadata.broker.list")) {
    return Problem(
        "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS: it is needed with any other Kafka property, like "
        "kafka-1:9092,kafka-2:9092");
  }
  const auto request =
      UplinkConfig(settings_.gateway_id, settings_.kafka, settings_.kafka_credentials);
  for (const auto& problem : kafka::FindAllProblems(kafka::Role::kProducer, request)) {
    Problem(problem.property.empty()
                ? problem.message
                : fmt::format("TIDEGATE_KAFKA_{}: {}",
                              kafka::PropertyToEnvironment(problem.property), problem.message));
  }
}

// The packaged service's place where this user may look into it, else that of an agent which was
// started by hand in this folder. A file in somebody's folder must not pass for the service's.
std::string PlaceOf(const std::string& service, const std::string& by_hand) {
  return ::access(service.c_str(), R_OK) == 0 ? service : by_hand;
}

std::string Get(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

}  // namespace

Environment ProcessEnvironment() {
  Environment environment;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

LoadedSettings LoadSettings(const Environment& environment, const Credentials& credentials) {
  return Loader(environment, credentials).Load();
}

std::string FindGatewayId(const Environment& environment) {
  const std::string set = Get(environment, "TIDEGATE_GATEWAY_ID");
  return set.empty() ? DefaultGatewayId() : set;
}

std::string StorePath(const std::string& store_dir) {
  return store_dir + "/store.db";
}

std::string FindControlSocket(const Environment& environment) {
  if (const std::string set = Get(environment, "TIDEGATE_CONTROL_SOCKET"); !set.empty()) return set;
  if (const std::string runtime = Get(environment, "RUNTIME_DIRECTORY"); !runtime.empty())
    return FirstOf(runtime) + "/control.sock";
  const std::string by_hand = Get(environment, "TIDEGATE_STORE_DIR");
  if (!by_hand.empty()) return by_hand + "/control.sock";
  return PlaceOf("/run/tidegate-agent/control.sock", "./data/control.sock");
}

std::string FindStoreDir(const Environment& environment) {
  if (const std::string set = Get(environment, "TIDEGATE_STORE_DIR"); !set.empty()) return set;
  if (const std::string state = Get(environment, "STATE_DIRECTORY"); !state.empty())
    return FirstOf(state);
  return PlaceOf("/var/lib/tidegate-agent", "./data");
}

}  // namespace tidegate
