#include "drivers/serial/line_codec.h"

#include <variant>

namespace tidegate {
namespace {

std::optional<std::string> PayloadOf(const std::optional<nmea::Epoch>& epoch) {
  return epoch.has_value() ? std::optional(nmea::ToPayload(*epoch)) : std::nullopt;
}

}  // namespace

std::optional<std::string> NmeaCodec::Add(std::string_view line) {
  const nmea::Sentence sentence = nmea::ParseSentence(line);
  if (const auto* rmc = std::get_if<nmea::Rmc>(&sentence)) {
    if (!rmc->valid) ++faults_.no_fix;
    return PayloadOf(merger_.Add(*rmc));
  }
  if (const auto* gga = std::get_if<nmea::Gga>(&sentence)) {
    if (gga->quality == 0) ++faults_.no_fix;
    return PayloadOf(merger_.Add(*gga));
  }
  if (const auto* fault = std::get_if<nmea::Fault>(&sentence)) {
    ++(*fault == nmea::Fault::kChecksum ? faults_.checksum : faults_.malformed);
  }
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> NmeaCodec::patience() const {
  if (!merger_.incomplete()) return std::nullopt;
  return nmea::EpochMerger::kPatience;
}

std::optional<std::string> NmeaCodec::Flush() {
  return PayloadOf(merger_.Flush());
}

std::unique_ptr<LineCodec> MakeLineCodec(SerialCodec codec) {
  if (codec == SerialCodec::kNmea) return std::make_unique<NmeaCodec>();
  return std::make_unique<JsonLinesCodec>();
}

}  // namespace tidegate
