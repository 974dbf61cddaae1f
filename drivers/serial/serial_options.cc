#include "drivers/serial/serial_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

namespace tidegate {
namespace {

constexpr std::array<unsigned, 20> kBaudRates{
    300,    600,    1200,   2400,   4800,   9600,    19200,   38400,   57600,   115200,
    230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 3000000};

template <typename T>
using Choices = std::vector<std::pair<std::string_view, T>>;

// Reads one value of the query after the other and collects what is wrong.
class QueryReader {
 public:
  QueryReader(const Uri& uri, std::vector<std::string>& problems)
      : query_(uri.query), problems_(problems) {}

  template <typename T>
  void Choose(const std::string& name, const Choices<T>& choices, T& value) {
    const auto found = query_.find(name);
    if (found == query_.end()) return;
    std::string known;
    for (const auto& [text, choice] : choices) {
      if (text == found->second) {
        value = choice;
        return;
      }
      known += fmt::format("{}{}", known.empty() ? "" : ", ", text);
    }
    problems_.push_back(fmt::format("{}={} is none of {}", name, found->second, known));
  }

  void Baud(unsigned& value) {
    const auto found = query_.find("baud");
    if (found == query_.end()) return;
    const std::string& text = found->second;
    unsigned baud = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), baud);
    if (error == std::errc() && end == text.data() + text.size() && IsBaudRate(baud)) {
      value = baud;
    } else {
      problems_.push_back(fmt::format("baud={} is none of {}", text, fmt::join(kBaudRates, ", ")));
    }
  }

  void RefuseUnknown() {
    static constexpr std::array<std::string_view, 8> kNames{"codec", "baud",  "parity", "stop",
                                                            "data",  "asset", "tenant", "kind"};
    for (const auto& [name, value] : query_) {
      if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
        problems_.push_back(
            fmt::format("'{}' is unknown, a serial input has {}", name, fmt::join(kNames, ", ")));
      }
    }
  }

 private:
  const std::map<std::string, std::string>& query_;
  std::vector<std::string>& problems_;
};

void CheckDevice(const Uri& uri, std::vector<std::string>& problems) {
  if (!uri.host.empty() || !uri.user.empty() || uri.port != 0) {
    problems.push_back("a serial input has no host, write serial:/dev/...");
  }
  if (uri.path.size() < 2 || uri.path.front() != '/') {
    problems.push_back(
        "the device has to be an absolute path such as serial:/dev/serial/by-id/...");
  }
}

}  // namespace

bool IsBaudRate(unsigned baud) {
  return std::find(kBaudRates.begin(), kBaudRates.end(), baud) != kBaudRates.end();
}

std::string ToText(const LineFormat& format) {
  const char parity = format.parity == Parity::kNone   ? 'N'
                      : format.parity == Parity::kEven ? 'E'
                                                       : 'O';
  return fmt::format("{} {}{}{}", format.baud, format.data_bits, parity, format.stop_bits);
}

Result<SerialOptions> ParseSerialOptions(const Input& input, const Uri& uri) {
  SerialOptions options;
  options.input = input;
  options.device = uri.path;
  std::vector<std::string> problems;
  CheckDevice(uri, problems);
  QueryReader query(uri, problems);
  query.Choose<SerialCodec>("codec",
                            {{"json-lines", SerialCodec::kJsonLines}, {"nmea", SerialCodec::kNmea}},
                            options.codec);
  query.Baud(options.format.baud);
  query.Choose<Parity>("parity",
                       {{"none", Parity::kNone}, {"even", Parity::kEven}, {"odd", Parity::kOdd}},
                       options.format.parity);
  query.Choose<int>("stop", {{"1", 1}, {"2", 2}}, options.format.stop_bits);
  query.Choose<int>("data", {{"8", 8}, {"7", 7}}, options.format.data_bits);
  query.RefuseUnknown();
  // An NMEA sentence names no vehicle, so nothing but the configuration can.
  if (options.codec == SerialCodec::kNmea && input.asset.empty() && !uri.query.contains("asset")) {
    problems.push_back("codec=nmea needs asset=, its sentences name none");
  }
  if (!problems.empty()) {
    return Error{ErrorCode::kInvalid, fmt::format("serial input: {}", fmt::join(problems, "; "))};
  }
  return options;
}

}  // namespace tidegate
