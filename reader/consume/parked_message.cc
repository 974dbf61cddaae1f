#include "reader/consume/parked_message.h"

#include <fmt/format.h>

#include <charconv>

#include "core/time_format.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kPrefix = "tg-parked-";

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || number < 0)
    return std::nullopt;
  return number;
}

// A producer's headers of these names would be taken for ours.
void DropParkedHeaders(std::vector<std::pair<std::string, std::string>>& headers) {
  std::erase_if(headers, [](const auto& header) { return header.first.starts_with(kPrefix); });
}

struct Origin {
  std::optional<std::string> topic = {};
  std::optional<int32_t> partition = {};
  std::optional<int64_t> offset = {};
  std::optional<int64_t> epoch = 0;
  std::optional<WallTime> timestamp = {};
  std::optional<std::string> key = {};
};

Origin ReadOrigin(const SourceMessage& raw) {
  Origin origin;
  for (const auto& [name, value] : raw.headers) {
    if (name == kHeaderParkedTopic) origin.topic = value;
    if (name == kHeaderParkedPartition) origin.partition = ParseNumber<int32_t>(value);
    if (name == kHeaderParkedOffset) origin.offset = ParseNumber<int64_t>(value);
    if (name == kHeaderParkedEpoch) origin.epoch = ParseNumber<int64_t>(value);
    if (name == kHeaderParkedTimestamp) origin.timestamp = ParseTime(value);
    if (name == kHeaderParkedKey) origin.key = value;
  }
  return origin;
}
}  // namespace

std::vector<std::pair<std::string, std::string>> ParkedHeaders(const SourceMessage& record,
                                                               int64_t epoch, WallTime now) {
  auto headers = record.headers;
  DropParkedHeaders(headers);
  const auto add = [&](std::string_view name, std::string value) {
    headers.emplace_back(std::string(name), std::move(value));
  };
  add(kHeaderParkedTopic, record.partition.topic);
  add(kHeaderParkedPartition, fmt::format("{}", record.partition.number));
  add(kHeaderParkedOffset, fmt::format("{}", record.offset));
  if (epoch > 0) add(kHeaderParkedEpoch, fmt::format("{}", epoch));
  if (record.timestamp) add(kHeaderParkedTimestamp, FormatTime(*record.timestamp));
  if (record.key) add(kHeaderParkedKey, *record.key);
  add(kHeaderParkedTime, FormatTime(now));
  return headers;
}

std::optional<ParkedMessage> ReadParked(SourceMessage raw) {
  Origin origin = ReadOrigin(raw);
  if (!raw.key || raw.key->empty() || !origin.topic || !origin.partition || !origin.offset ||
      !origin.epoch)
    return std::nullopt;
  ParkedMessage parked{.record = std::move(raw), .database = {}, .epoch = *origin.epoch};
  SourceMessage& record = parked.record;
  parked.database = *std::move(record.key);
  record.key = std::move(origin.key);
  record.timestamp = origin.timestamp;
  record.partition = {*std::move(origin.topic), *origin.partition};
  record.offset = *origin.offset;
  DropParkedHeaders(record.headers);
  return parked;
}

}  // namespace tidegate::reader
