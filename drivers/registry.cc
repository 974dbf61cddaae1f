#include "drivers/registry.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "drivers/mqtt/mqtt_driver.h"
#include "drivers/serial/serial_driver.h"
#include "drivers/serial/termios_stream.h"
#include "drivers/sim/sim_driver.h"

namespace tidegate {

namespace {

Status TakeSecret(const Credentials& credentials, const std::string& name, std::string& target) {
  const auto secret = credentials.Read(name);
  if (!secret.ok()) return Status(secret);
  if (*secret) target = **secret;
  return {};
}

Result<MqttOptions> CompleteMqttOptions(const InputConfig& config, const Credentials& credentials,
                                        const std::string& gateway_id) {
  auto options = ParseMqttOptions(config.input, config.uri);
  if (!options.ok()) return options;
  if (options->client_id.empty())
    options->client_id = DefaultMqttClientId(gateway_id, config.input.name);
  const std::string prefix = fmt::format("input.{}.", config.input.name);
  if (Status status = TakeSecret(credentials, prefix + "username", options->username);
      !status.ok()) {
    return status.error();
  }
  if (Status status = TakeSecret(credentials, prefix + "password", options->password);
      !status.ok()) {
    return status.error();
  }
  options->ca_file = credentials.Path(prefix + "ca").value_or(options->ca_file);
  options->cert_file = credentials.Path(prefix + "cert").value_or(options->cert_file);
  options->key_file = credentials.Path(prefix + "key").value_or(options->key_file);
  for (const std::string& file : {options->ca_file, options->cert_file, options->key_file}) {
    if (!file.empty() && ::access(file.c_str(), R_OK) != 0) {
      return Error{ErrorCode::kInvalid,
                   fmt::format("read {}: {}; name a file that the agent may read", file,
                               std::strerror(errno))};
    }
  }
  if (const std::string problem = MqttOptionsProblem(*options); !problem.empty()) {
    return Error{ErrorCode::kInvalid, problem};
  }
  return options;
}

using Check = Status (*)(const InputConfig&, const Credentials&, const std::string& gateway_id);
using Make = Result<std::unique_ptr<Driver>> (*)(const InputConfig&, const DriverContext&);

Status CheckMqtt(const InputConfig& config, const Credentials& credentials,
                 const std::string& gateway_id) {
  return Status(CompleteMqttOptions(config, credentials, gateway_id));
}
Result<std::unique_ptr<Driver>> MakeMqtt(const InputConfig& config, const DriverContext& context) {
  auto options = CompleteMqttOptions(config, context.credentials, context.gateway_id);
  if (!options.ok()) return options.error();
  return std::unique_ptr<Driver>(
      std::make_unique<MqttDriver>(config.input, std::move(options).value(), context.clock,
                                   context.log, context.metrics, context.notes));
}

Status CheckSerial(const InputConfig& config, const Credentials&, const std::string&) {
  return Status(ParseSerialOptions(config.input, config.uri));
}
Result<std::unique_ptr<Driver>> MakeSerial(const InputConfig& config,
                                           const DriverContext& context) {
  auto options = ParseSerialOptions(config.input, config.uri);
  if (!options.ok()) return options.error();
  auto stream = std::make_unique<TermiosStream>(options->device, options->format);
  return std::unique_ptr<Driver>(
      std::make_unique<SerialDriver>(std::move(options).value(), std::move(stream), context.clock,
                                     context.log, context.metrics, context.seed));
}

Status CheckSim(const InputConfig& config, const Credentials&, const std::string&) {
  return Status(ParseSimOptions(config.input, config.uri));
}
Result<std::unique_ptr<Driver>> MakeSim(const InputConfig& config, const DriverContext& context) {
  auto options = ParseSimOptions(config.input, config.uri);
  if (!options.ok()) return options.error();
  return std::unique_ptr<Driver>(
      std::make_unique<SimDriver>(std::move(options).value(), context.clock));
}

struct Scheme {
  std::string_view name;
  Check check;
  Make make;
};
constexpr std::array<Scheme, 4> kSchemes{{
    {"mqtt", CheckMqtt, MakeMqtt},
    {"mqtts", CheckMqtt, MakeMqtt},
    {"serial", CheckSerial, MakeSerial},
    {"sim", CheckSim, MakeSim},
}};

const Scheme* FindScheme(std::string_view name) {
  const auto found = std::ranges::find(kSchemes, name, &Scheme::name);
  return found == kSchemes.end() ? nullptr : &*found;
}

Error UnknownScheme(const std::string& name) {
  std::string known;
  for (const Scheme& scheme : kSchemes) known += fmt::format(" {}:", scheme.name);
  return Error{ErrorCode::kInvalid,
               fmt::format("no driver for \"{}:\"; this version has{}", name, known)};
}

}  // namespace

Result<Input> ParseInput(const std::string& name, const Uri& uri) {
  const auto query = [&](const std::string& key) {
    const auto found = uri.query.find(key);
    return found == uri.query.end() ? std::string() : found->second;
  };
  Input input{.name = name,
              .tenant = query("tenant"),
              .asset = query("asset"),
              .record_class = RecordClass::kHeartbeat};
  if (!input.tenant.empty() && !IsTenantName(input.tenant)) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("?tenant={} is not 1 to 64 of A-Z a-z 0-9 . _ -", input.tenant)};
  }
  if (!input.asset.empty() && !IsAssetName(input.asset)) {
    return Error{ErrorCode::kInvalid,
                 "?asset= is over 128 bytes, or no UTF-8 text without control characters"};
  }
  const std::string kind = query("kind");
  if (kind == "reading") {
    input.record_class = RecordClass::kReading;
  } else if (!kind.empty() && kind != "heartbeat") {
    return Error{ErrorCode::kInvalid,
                 fmt::format("?kind={} is neither heartbeat nor reading", kind)};
  }
  return input;
}

Status CheckInput(const InputConfig& config, const Credentials& credentials,
                  const std::string& gateway_id) {
  const Scheme* scheme = FindScheme(config.uri.scheme);
  return scheme ? scheme->check(config, credentials, gateway_id)
                : Status(UnknownScheme(config.uri.scheme));
}

std::vector<std::string> InputCredentialNames(const std::string& name) {
  std::vector<std::string> names;
  for (const char* what : {"username", "password", "ca", "cert", "key"}) {
    names.push_back(fmt::format("input.{}.{}", name, what));
  }
  return names;
}

std::string InputWarning(const InputConfig& config, const Credentials& credentials,
                         const std::string& gateway_id) {
  if (!config.uri.scheme.starts_with("mqtt")) return {};
  const auto options = CompleteMqttOptions(config, credentials, gateway_id);
  return options.ok() ? MqttOptionsWarning(*options) : "";
}

Result<std::unique_ptr<Driver>> MakeDriver(const InputConfig& config,
                                           const DriverContext& context) {
  const Scheme* scheme = FindScheme(config.uri.scheme);
  if (!scheme) return UnknownScheme(config.uri.scheme);
  return scheme->make(config, context);
}

}  // namespace tidegate
