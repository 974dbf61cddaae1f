// Merges the RMC and the GGA of one moment into one position record. Pure: the caller says when to
// wait no longer. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "drivers/serial/nmea.h"

namespace tidegate::nmea {

// The fixes of one epoch, an epoch being all sentences with the same UTC time of day. At least one
// is there.
struct Epoch {
  std::optional<Rmc> rmc;
  std::optional<Gga> gga;

  // True if a sentence gives a fix and none says that there is none.
  bool HasFix() const;
};

// The payload: {"timestamp":..,"location":{..},"speed_kmh":..,"course_deg":..,"altitude_m":..,
// "satellites":..,"hdop":..,"fix":..}. What the receiver did not send has no member. Without a fix
// there is no location and nothing derived from one, and "fix" is "none". Without a date from an
// RMC with a fix there is no timestamp: the gateway dates the record.
std::string ToPayload(const Epoch& epoch);

class EpochMerger {
 public:
  // How long the caller waits for the other sentence of an epoch before it calls Flush().
  static constexpr std::chrono::seconds kPatience{1};

  // The epoch that `sentence` completes, or the one before that it ends. Sentences without a time,
  // and further ones of an epoch that was given out already, are dropped.
  std::optional<Epoch> Add(const Rmc& sentence);
  std::optional<Epoch> Add(const Gga& sentence);

  // True if a sentence waits for its partner, or if the time of the last epoch is still remembered:
  // call Flush() in a while.
  bool unsettled() const { return time_.has_value() || given_out_.has_value(); }
  // What waits. Afterwards any time of day begins an epoch, also the one given out last: a receiver
  // whose clock stands still keeps giving records, if fewer.
  std::optional<Epoch> Flush();

 private:
  template <typename Part>
  std::optional<Epoch> Merge(const Part& sentence, std::optional<Part> Epoch::*slot);
  Epoch Take();

  Epoch epoch_;
  std::optional<std::chrono::milliseconds> time_;  // Of epoch_; empty if that is.
  std::optional<std::chrono::milliseconds> given_out_;
};

}  // namespace tidegate::nmea
