#include "drivers/sim/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "core/quantity.h"
#include "core/record.h"
#include "core/time_format.h"
#include "drivers/uri.h"

namespace tidegate {
namespace {

constexpr int kUsage = 2;

constexpr char kDescription[] =
    "tidegate-sim publishes the heartbeats of a made-up fleet and waits until each is "
    "acknowledged.\n"
    "It goes on through restarts of the broker or server and ends with the line\n"
    "'published N acknowledged N'. Exit status: 0 all were acknowledged, 1 not all, 2 wrong usage.";

constexpr char kFooter[] =
    "The password for --username comes from the environment variable TIDEGATE_SIM_PASSWORD or "
    "from\n"
    "the credential tidegate-sim.password (systemd.exec(5), LoadCredential=).\n\n"
    "Examples:\n"
    "  tidegate-sim --assets 100 --rate 10 --mqtt mqtt://localhost:1883\n"
    "  tidegate-sim --count 100000 --rate 0 --mqtt "
    "mqtt://localhost/fleet/{tenant}/{asset}/heartbeat\n"
    "  tidegate-sim --count 1000 --batch 50 --http http://localhost:8080/ingest\n"
    "  tidegate-sim --count 5 --start 2025-06-23T08:00:00Z --print";

// The values as they are typed, before they are checked.
struct Raw {
  std::string mqtt;
  std::string http;
  bool print = false;
  std::string topic;
  std::string username;
  std::string ca;
  std::string client_id;
  std::string start;
  std::string timeout = "60s";
  int window = 500;
};

void AddOptions(CLI::App& app, Raw& raw, SimCommand& command) {
  auto* target = app.add_option_group("Target", "Where the heartbeats go; exactly one of");
  target
      ->add_option("--mqtt", raw.mqtt,
                   "Broker: mqtt://HOST[:1883][/TOPIC] or mqtts://HOST[:8883][/TOPIC]")
      ->type_name("URI");
  target->add_option("--http", raw.http, "Server that takes them by POST")->type_name("URL");
  target->add_flag("--print", raw.print, "Standard output, one heartbeat a line");
  target->require_option(1);
  app.add_option("--assets", command.fleet.assets, "Vehicles")
      ->type_name("N")
      ->check(CLI::Range(size_t{1}, size_t{100'000}))
      ->capture_default_str();
  app.add_option("--rate", command.run.rate,
                 "Heartbeats a second, all vehicles together; 0: as fast as acknowledged")
      ->type_name("R")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--count", command.run.count, "Stop after so many; 0: go on until stopped")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber.description(""))
      ->capture_default_str();
  app.add_option("--seed", command.fleet.seed, "Another fleet for another seed")
      ->type_name("S")
      ->check(CLI::NonNegativeNumber.description(""))
      ->capture_default_str();
  app.add_option("--tenant", command.fleet.tenants,
                 "Tenant of the vehicles; given again, they are shared out in turn (default: demo)")
      ->type_name("NAME")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option(
         "--start", raw.start,
         "Date the heartbeats from here on, a second a round, and not by the clock; the same\n"
         "seed then gives the same bytes")
      ->type_name("TIME");
  app.add_option("--topic", raw.topic,
                 "MQTT topic with {tenant} and {asset} (default: the URI's path, else\n"
                 "fleet/{tenant}/{asset}/heartbeat)")
      ->type_name("TOPIC");
  app.add_option("--qos", command.mqtt.qos, "MQTT quality of service")
      ->check(CLI::Range(0, 2))
      ->type_name("0|1|2")
      ->capture_default_str();
  app.add_option("--client-id", raw.client_id, "MQTT client id (default: a random one)")
      ->type_name("ID");
  app.add_option("--window", raw.window, "MQTT heartbeats on the way at most")
      ->type_name("N")
      ->check(CLI::Range(1, 20'000))
      ->capture_default_str();
  app.add_option("--batch", command.http.batch, "HTTP heartbeats a request; over 1 as an array")
      ->type_name("N")
      ->check(CLI::Range(size_t{1}, size_t{10'000}))
      ->capture_default_str();
  app.add_option("--requests", command.http.requests, "HTTP requests on the way at most")
      ->type_name("N")
      ->check(CLI::Range(size_t{1}, size_t{256}))
      ->capture_default_str();
  app.add_option("--username", raw.username, "User at the broker or server")->type_name("NAME");
  app.add_option("--ca", raw.ca, "Authorities to trust instead of the system's, PEM")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  app.add_option("--timeout", raw.timeout, "Give up when nothing is acknowledged for so long")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_flag("--quiet", command.quiet, "No progress");
  app.add_flag("--json", command.json, "The result as one JSON object instead of a line");
}

SimCommand Say(std::string message, int exit_code) {
  SimCommand command;
  command.message = std::move(message);
  command.exit_code = exit_code;
  return command;
}

std::string RandomClientId() {
  std::random_device random;
  return fmt::format("tidegate-sim-{:08x}", random());
}

// Each returns what is wrong, or nothing.
std::string ReadMqtt(const Raw& raw, MqttPublisherOptions& mqtt) {
  const Result<Uri> uri = ParseUri(raw.mqtt);
  if (!uri) return "--mqtt: " + uri.error().message;
  if (uri->scheme != "mqtt" && uri->scheme != "mqtts")
    return "--mqtt: begin with mqtt:// or mqtts://";
  if (uri->host.empty()) return "--mqtt: a host is missing, write mqtt://HOST";
  if (!uri->query.empty()) return "--mqtt: a query is not used here";
  mqtt.host = uri->host;
  mqtt.tls = uri->scheme == "mqtts";
  mqtt.port = uri->port != 0 ? uri->port : mqtt.tls ? 8883 : 1883;
  mqtt.username = raw.username.empty() ? uri->user : raw.username;
  mqtt.ca_file = raw.ca;
  mqtt.window = static_cast<uint16_t>(raw.window);
  mqtt.client_id = raw.client_id.empty() ? RandomClientId() : raw.client_id;
  if (uri->path.size() > 1) mqtt.topic = uri->path.substr(1);
  if (!raw.topic.empty()) mqtt.topic = raw.topic;
  if (mqtt.topic.find_first_of("+#") != std::string::npos) {
    return fmt::format("topic {}: + and # are for subscribing", mqtt.topic);
  }
  return "";
}

std::string ReadRun(const Raw& raw, SimCommand& command) {
  if (!raw.start.empty()) {
    command.run.start = ParseTime(raw.start);
    if (!command.run.start)
      return fmt::format("--start: {} is no time such as 2025-06-23T08:00:00Z", raw.start);
  }
  const auto timeout = ParseDuration(raw.timeout);
  if (!timeout) return fmt::format("--timeout: {} is no duration such as 60s or 5m", raw.timeout);
  command.run.give_up_after = *timeout;
  for (const std::string& tenant : command.fleet.tenants) {
    if (!IsTenantName(tenant)) return fmt::format("--tenant: {} is no tenant's name", tenant);
  }
  return "";
}

std::string Check(const Raw& raw, const std::string& password, SimCommand& command) {
  std::string problem = ReadRun(raw, command);
  if (!problem.empty()) return problem;
  command.mqtt.password = command.http.password = password;
  if (!raw.mqtt.empty()) {
    command.target = SimCommand::Target::kMqtt;
    return ReadMqtt(raw, command.mqtt);
  }
  if (!raw.http.empty()) {
    command.target = SimCommand::Target::kHttp;
    command.http.url = raw.http;
    command.http.username = raw.username;
    command.http.ca_file = raw.ca;
  }
  return "";
}

}  // namespace

SimCommand ParseSimCommand(const std::vector<std::string>& arguments, const std::string& password,
                           const std::string& version) {
  SimCommand command;
  Raw raw;
  CLI::App app(kDescription, "tidegate-sim");
  app.footer(kFooter);
  app.set_version_flag("--version", "tidegate-sim " + version);
  AddOptions(app, raw, command);
  // CLI11 takes them from the back.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return Say(app.help(), 0);
  } catch (const CLI::CallForVersion&) {
    return Say(app.version() + "\n", 0);
  } catch (const CLI::ParseError& error) {
    return Say(fmt::format("tidegate-sim: {}\nTry tidegate-sim --help.\n", error.what()), kUsage);
  }
  const std::string problem = Check(raw, password, command);
  if (problem.empty()) return command;
  return Say(fmt::format("tidegate-sim: {}\n", problem), kUsage);
}

}  // namespace tidegate
