#include "reader/project/replay/stored_letter.h"

#include <charconv>
#include <utility>

#include "core/time_format.h"
#include "reader/consume/dead_letters.h"

namespace tidegate::reader {

namespace {
template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || number < 0)
    return std::nullopt;
  return number;
}

// The values of the letter's headers.
struct Told {
  std::optional<std::string> reason;
  std::optional<WallTime> time;
  std::optional<std::string> topic;
  std::optional<int32_t> partition;
  std::optional<int64_t> offset;
  // Letters of earlier versions lack it.
  std::optional<int64_t> epoch = 0;
  std::optional<WallTime> timestamp;
  bool cut = false;
};

void Take(std::string_view name, const std::string& value, Told& told) {
  if (name == kHeaderDlqReason) told.reason = value.substr(0, value.find(':'));
  if (name == kHeaderDlqTime) told.time = ParseTime(value);
  if (name == kHeaderDlqTopic) told.topic = value;
  if (name == kHeaderDlqPartition) told.partition = ParseNumber<int32_t>(value);
  if (name == kHeaderDlqOffset) told.offset = ParseNumber<int64_t>(value);
  if (name == kHeaderDlqEpoch) told.epoch = ParseNumber<int64_t>(value);
  if (name == kHeaderDlqTimestamp) told.timestamp = ParseTime(value);
  if (name == kHeaderDlqTruncated) told.cut = true;
}
}  // namespace

std::optional<StoredLetter> ReadLetter(SourceMessage raw) {
  Told told;
  for (const auto& [name, value] : raw.headers) Take(name, value, told);
  if (!told.reason || !told.time || !told.topic || !told.partition || !told.offset || !told.epoch)
    return std::nullopt;
  StoredLetter letter{.message = std::move(raw),
                      .reason_kind = *std::move(told.reason),
                      .time = *told.time,
                      .epoch = *told.epoch,
                      .cut = told.cut};
  std::erase_if(letter.message.headers,
                [](const auto& header) { return header.first.starts_with(kDlqPrefix); });
  letter.message.partition = {*std::move(told.topic), *told.partition};
  letter.message.offset = *told.offset;
  // Letters of earlier versions lack the time; a message is refused soon after it arrives.
  letter.message.timestamp = told.timestamp.value_or(letter.time);
  return letter;
}

}  // namespace tidegate::reader
