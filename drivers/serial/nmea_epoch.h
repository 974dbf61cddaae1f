// Merges the RMC and the GGA of one moment into one position record. Reads no clock: the caller
// says when to wait no longer. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "drivers/serial/nmea.h"

namespace tidegate::nmea {

// What a receiver reported of one moment: its sentences with the same UTC time of day, of which at
// least one is set.
struct Epoch {
  std::optional<Rmc> rmc;
  std::optional<Gga> gga;

  // True if a sentence gives a fix and none says that there is none.
  bool HasFix() const;
};

// Writes the payload: {"timestamp":..,"location":{..},"speed_kmh":..,"course_deg":..,
// "altitude_m":..,"satellites":..,"hdop":..,"fix":..}. What the receiver did not send has no
// member. Without a fix there is no location and nothing derived from one, and "fix" is "none".
// Without a date from an RMC with a fix there is no timestamp, and the gateway dates the record.
// REQUIRES: a sentence is set, and comes from ParseSentence().
std::string ToPayload(const Epoch& epoch);

class EpochMerger {
 public:
  // How long the caller waits for the other sentence of an epoch before it calls Flush().
  static constexpr std::chrono::seconds kPatience{1};

  // Adds a sentence. Returns the epoch that it completes, or the previous epoch, which it ends.
  // Drops sentences without a time, and further ones of an epoch that was returned already.
  std::optional<Epoch> Add(const Rmc& sentence);
  std::optional<Epoch> Add(const Gga& sentence);

  // True if a sentence waits for the other of its epoch, or if the time of the last epoch is still
  // remembered: call Flush() in a while.
  bool incomplete() const { return time_.has_value() || returned_.has_value(); }
  // Returns the epoch that is incomplete, if any. Afterwards any time of day begins an epoch, even
  // that of the last one: a receiver whose clock has stopped still gives records, if fewer.
  std::optional<Epoch> Flush();

 private:
  template <typename Part>
  std::optional<Epoch> Merge(const Part& sentence, std::optional<Part> Epoch::*slot);
  Epoch Take();

  Epoch epoch_;
  // The time of day of epoch_; nullopt if epoch_ has no sentence.
  std::optional<std::chrono::milliseconds> time_;
  // The time of day of the epoch that was returned last.
  std::optional<std::chrono::milliseconds> returned_;
};

}  // namespace tidegate::nmea
