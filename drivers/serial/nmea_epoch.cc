#include "drivers/serial/nmea_epoch.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "core/time_format.h"

namespace tidegate::nmea {
namespace {

std::string_view FixName(int quality) {
  switch (quality) {
    case 1:
      return "gps";
    case 2:
      return "dgps";
    case 3:
      return "pps";
    case 4:
      return "rtk";
    case 5:
      return "rtk-float";
    case 6:
      return "estimated";
    case 7:
      return "manual";
    case 8:
      return "simulated";
    default:
      return "none";
  }
}

// The GGA quality that means the same as an RMC's mode.
int QualityOfMode(char mode) {
  static constexpr std::string_view kModes = "NADPRFEMS";
  const size_t quality = kModes.find(mode);
  return quality == std::string_view::npos ? 1 : static_cast<int>(quality);
}

std::optional<std::string> Timestamp(const Epoch& epoch) {
  if (!epoch.rmc.has_value() || !epoch.rmc->date.has_value()) return std::nullopt;
  return FormatTime(std::chrono::sys_days(*epoch.rmc->date) + *epoch.rmc->time_of_day);
}

// The members of one JSON object whose names and values need no escapes.
class Members {
 public:
  void Raw(std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(text_), "{}\"{}\":{}", text_.empty() ? '{' : ',', name,
                   value);
  }
  void String(std::string_view name, std::string_view value) {
    Raw(name, fmt::format("\"{}\"", value));
  }
  void Number(std::string_view name, const std::optional<Decimal>& value) {
    if (value.has_value()) Raw(name, ToText(*value));
  }
  std::string Finish() && { return std::move(text_) + '}'; }

 private:
  std::string text_;
};

// GGA before RMC: it is the sentence that receivers give more digits. REQUIRES: epoch.HasFix().
const Coordinates& Position(const Epoch& epoch) {
  const auto& position = epoch.gga.has_value() ? epoch.gga->position : epoch.rmc->position;
  CHECK(position.has_value(), "a fix has a position");
  return *position;
}

std::string Location(const Coordinates& position) {
  Members members;
  members.Number("latitude", position.latitude);
  members.Number("longitude", position.longitude);
  return std::move(members).Finish();
}

}  // namespace

bool Epoch::HasFix() const {
  return (!rmc.has_value() || rmc->valid) && (!gga.has_value() || gga->quality > 0) &&
         (rmc.has_value() || gga.has_value());
}

std::string ToPayload(const Epoch& epoch) {
  CHECK(epoch.rmc.has_value() || epoch.gga.has_value(), "an epoch has a sentence");
  Members members;
  const bool fix = epoch.HasFix();
  if (fix) {
    // Without a fix a receiver counts from whatever time its battery kept, so that its date is
    // worth less than the gateway's.
    if (const auto timestamp = Timestamp(epoch)) members.String("timestamp", *timestamp);
    members.Raw("location", Location(Position(epoch)));
    if (epoch.rmc.has_value()) {
      members.Number("speed_kmh", epoch.rmc->speed_kmh);
      members.Number("course_deg", epoch.rmc->course_deg);
    }
    if (epoch.gga.has_value()) members.Number("altitude_m", epoch.gga->altitude_m);
  }
  if (epoch.gga.has_value()) {
    if (epoch.gga->satellites) members.Raw("satellites", std::to_string(*epoch.gga->satellites));
    if (fix) members.Number("hdop", epoch.gga->hdop);
  }
  const int quality = epoch.gga.has_value() ? epoch.gga->quality : QualityOfMode(epoch.rmc->mode);
  members.String("fix", FixName(fix ? quality : 0));
  return std::move(members).Finish();
}

Epoch EpochMerger::Take() {
  CHECK(time_.has_value() && (epoch_.rmc.has_value() || epoch_.gga.has_value()),
        "an epoch that has begun has a sentence");
  returned_ = time_;
  time_.reset();
  return std::exchange(epoch_, Epoch{});
}

template <typename Part>
std::optional<Epoch> EpochMerger::Merge(const Part& sentence, std::optional<Part> Epoch::*slot) {
  if (!sentence.time_of_day.has_value() || sentence.time_of_day == returned_) return std::nullopt;
  std::optional<Epoch> ended;
  if (time_.has_value() && time_ != sentence.time_of_day) ended = Take();
  time_ = sentence.time_of_day;
  // A receiver with several talkers says the same again for each; the first is as good as the
  // others.
  if (!(epoch_.*slot).has_value()) epoch_.*slot = sentence;
  if (!ended.has_value() && epoch_.rmc.has_value() && epoch_.gga.has_value()) ended = Take();
  return ended;
}

std::optional<Epoch> EpochMerger::Add(const Rmc& sentence) {
  return Merge(sentence, &Epoch::rmc);
}

std::optional<Epoch> EpochMerger::Add(const Gga& sentence) {
  return Merge(sentence, &Epoch::gga);
}

std::optional<Epoch> EpochMerger::Flush() {
  std::optional<Epoch> epoch;
  if (time_.has_value()) epoch = Take();
  returned_.reset();
  return epoch;
}

}  // namespace tidegate::nmea
