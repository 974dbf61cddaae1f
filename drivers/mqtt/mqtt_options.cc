#include "drivers/mqtt/mqtt_options.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <vector>

#include "core/check.h"
#include "core/nearest.h"
#include "core/quantity.h"
#include "core/utf8.h"

namespace tidegate {
namespace {

constexpr uint16_t kTlsPort = 8883;
// libmosquitto's least; below it a busy SD card would look like a dead broker.
constexpr std::chrono::seconds kLeastKeepalive{5};
constexpr std::chrono::seconds kMostKeepalive{65'535};
// The most that ParseDuration accepts, well below the four bytes of seconds of MQTT 5.
constexpr std::chrono::hours kMostSessionExpiry{24 * 10'000};
constexpr size_t kMaxStringBytes = 65'535;
// A broker on this machine costs no link, and may lose what comes while we are not connected.
constexpr std::chrono::milliseconds kMostLocalWait{2'000};

bool IsThisMachine(const std::string& host) {
  in_addr address = {};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1) {
    return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  return host == "localhost" || host == "::1";
}

class Parser {
 public:
  Parser(const Uri& uri, MqttOptions& options, std::vector<std::string>& problems)
      : uri_(uri), options_(options), problems_(problems) {}

  void Run();

 private:
  using Setter = void (Parser::*)(const std::string& value);
  struct Name {
    const char* name;
    Setter set;
  };
  static const std::array<Name, 13>& Names();

  void Authority();
  void Query();
  void Unknown(const std::string& name);
  void Problem(std::string text) { problems_.push_back(std::move(text)); }

  // tenant, asset and kind are read by whoever made the Input.
  void Tag(const std::string&) {}
  void ClientId(const std::string& value);
  void Version(const std::string& value);
  void ReceiveMaximum(const std::string& value);
  void SessionExpiry(const std::string& value);
  void Keepalive(const std::string& value);
  void Ca(const std::string& value) { File("ca", value, options_.ca_file); }
  void Cert(const std::string& value) { File("cert", value, options_.cert_file); }
  void Key(const std::string& value) { File("key", value, options_.key_file); }
  void Verify(const std::string& value);
  void Password(const std::string&);
  void File(const char* name, const std::string& value, std::string& file);
  void WantsTls(const char* name);
  std::optional<std::chrono::seconds> Seconds(const char* name, const std::string& value,
                                              std::chrono::seconds least,
                                              std::chrono::seconds most);

  const Uri& uri_;
  MqttOptions& options_;
  std::vector<std::string>& problems_;
};

const std::array<Parser::Name, 13>& Parser::Names() {
  static constexpr std::array<Name, 13> kNames{{
      {"tenant", &Parser::Tag},
      {"asset", &Parser::Tag},
      {"kind", &Parser::Tag},
      {"client_id", &Parser::ClientId},
      {"version", &Parser::Version},
      {"receive_maximum", &Parser::ReceiveMaximum},
      {"session_expiry", &Parser::SessionExpiry},
      {"keepalive", &Parser::Keepalive},
      {"ca", &Parser::Ca},
      {"cert", &Parser::Cert},
      {"key", &Parser::Key},
      {"verify", &Parser::Verify},
      {"password", &Parser::Password},
  }};
  return kNames;
}

void Parser::Run() {
  Authority();
  Query();
}

void Parser::Authority() {
  options_.tls = uri_.scheme == "mqtts";
  options_.host = uri_.host;
  options_.username = uri_.user;
  if (IsThisMachine(uri_.host)) options_.backoff.max = kMostLocalWait;
  options_.port = uri_.port != 0 ? uri_.port : options_.tls ? kTlsPort : options_.port;
  if (uri_.host.empty()) Problem("the host is missing, as in mqtt://host/topic");
  if (!IsUtf8(uri_.user)) Problem("the user is not UTF-8");
}

void Parser::Query() {
  for (const auto& [name, value] : uri_.query) {
    const auto& names = Names();
    const auto known = std::find_if(names.begin(), names.end(), [&name = name](const Name& other) {
      return name == other.name;
    });
    if (known == names.end()) {
      Unknown(name);
    } else {
      std::invoke(known->set, *this, value);
    }
  }
}

void Parser::Unknown(const std::string& name) {
  std::vector<std::string> names;
  for (const Name& known : Names()) {
    if (known.set != &Parser::Password) names.emplace_back(known.name);
  }
  const std::optional<std::string> nearest = Nearest(name, names);
  Problem(fmt::format("unknown '{}'{}; known are {}", name,
                      nearest.has_value() ? fmt::format(", did you mean '{}'?", *nearest) : "",
                      fmt::join(names, ", ")));
}

void Parser::ClientId(const std::string& value) {
  if (value.empty() || value.size() > kMaxStringBytes || !IsUtf8(value)) {
    Problem("client_id has to be UTF-8 of 1 to 65535 bytes");
  }
  options_.client_id = value;
}

void Parser::Version(const std::string& value) {
  if (value == "5") {
    options_.version = MqttVersion::k5;
  } else if (value == "3.1.1") {
    options_.version = MqttVersion::k311;
  } else if (value != "auto") {
    Problem("version has to be auto, 5 or 3.1.1");
  }
}

void Parser::ReceiveMaximum(const std::string& value) {
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number == 0) {
    Problem("receive_maximum has to be a number from 1 to 65535");
    return;
  }
  options_.receive_maximum = number;
}

std::optional<std::chrono::seconds> Parser::Seconds(const char* name, const std::string& value,
                                                    std::chrono::seconds least,
                                                    std::chrono::seconds most) {
  const std::optional<std::chrono::milliseconds> duration = ParseDuration(value);
  if (!duration.has_value() || *duration < least || *duration > most) {
    Problem(fmt::format("{} has to be a duration from {} to {}", name, FormatDuration(least),
                        FormatDuration(most)));
    return std::nullopt;
  }
  return std::chrono::ceil<std::chrono::seconds>(*duration);
}

void Parser::SessionExpiry(const std::string& value) {
  const auto expiry = Seconds("session_expiry", value, std::chrono::seconds(1), kMostSessionExpiry);
  options_.session_expiry = expiry.value_or(options_.session_expiry);
}

void Parser::Keepalive(const std::string& value) {
  const auto keepalive = Seconds("keepalive", value, kLeastKeepalive, kMostKeepalive);
  options_.keepalive = keepalive.value_or(options_.keepalive);
}

void Parser::Verify(const std::string& value) {
  WantsTls("verify");
  if (value != "true" && value != "false") Problem("verify has to be true or false");
  options_.verify_peer = value != "false";
}

// Known only to be refused with a reason.
void Parser::Password(const std::string&) {
  Problem("a password in the URI is refused, give it as a credential");
}

void Parser::File(const char* name, const std::string& value, std::string& file) {
  WantsTls(name);
  if (value.empty()) Problem(fmt::format("{} has to be a file", name));
  file = value;
}

void Parser::WantsTls(const char* name) {
  if (!options_.tls) Problem(fmt::format("{} needs mqtts://", name));
}

}  // namespace

Result<MqttOptions> ParseMqttOptions(const Input& input, const Uri& uri) {
  CHECK(uri.scheme == "mqtt" || uri.scheme == "mqtts", "the registry chose the driver by scheme");
  const std::string_view path = uri.path;
  Result<TopicTemplate> topic = TopicTemplate::Parse(path.substr(path.empty() ? 0 : 1));
  std::vector<std::string> problems;
  if (!topic.ok()) problems.push_back(topic.error().message);
  // A stand-in, so that the rest is checked as well.
  MqttOptions options(topic.ok() ? std::move(*topic) : *TopicTemplate::Parse("#"));
  Parser(uri, options, problems).Run();
  if (problems.empty()) return options;
  return Error{ErrorCode::kInvalid,
               fmt::format("input {}: {}", input.name, fmt::join(problems, "; "))};
}

std::string DefaultMqttClientId(std::string_view gateway, std::string_view input) {
  return fmt::format("tidegate-{}-{}", gateway, input);
}

std::string MqttOptionsProblem(const MqttOptions& options) {
  if (options.client_id.empty()) return "the client id is missing";
  if (options.cert_file.empty() != options.key_file.empty()) {
    return "cert and key are only of use together";
  }
  if (!options.password.empty() && options.username.empty()) return "a password needs a username";
  if (!options.tls && !(options.ca_file.empty() && options.cert_file.empty())) {
    return "certificates need mqtts://";
  }
  return {};
}

std::string MqttOptionsWarning(const MqttOptions& options) {
  if (options.tls && !options.verify_peer) {
    return "verify=false is insecure: anyone on the way can read and forge messages";
  }
  if (!options.tls && !options.password.empty())
    return "the password goes over the network in clear";
  return {};
}

}  // namespace tidegate
