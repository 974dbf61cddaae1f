// Turns the lines of a device into payloads, and counts the lines that gave none. Reads no clock:
// the caller measures patience(). One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/serial/nmea_epoch.h"
#include "drivers/serial/serial_options.h"

namespace tidegate {

// Counts of lines, by what was wrong with them. Sentences of types that are not used are no loss
// and not counted.
struct LineFaults {
  uint64_t checksum = 0;
  uint64_t malformed = 0;
  // Sentences of a receiver that has no position. Their epoch becomes a record without a location.
  uint64_t no_fix = 0;
};

class LineCodec {
 public:
  virtual ~LineCodec() = default;
  // The longest line that the format allows, without its end.
  virtual size_t max_line_bytes() const = 0;
  // Adds a line, without its end. Returns the payload that it completes, if any.
  virtual std::optional<std::string> Add(std::string_view line) = 0;
  // How long after Add() to call Flush(), unless Add() is called again. nullopt: no need to.
  virtual std::optional<std::chrono::milliseconds> patience() const { return std::nullopt; }
  // Returns the payload of the lines that wait for more, if there are any.
  virtual std::optional<std::string> Flush() { return std::nullopt; }

  const LineFaults& faults() const { return faults_; }

 protected:
  LineFaults faults_;
};

class JsonLinesCodec final : public LineCodec {
 public:
  size_t max_line_bytes() const override { return 256 * 1024; }
  std::optional<std::string> Add(std::string_view line) override { return std::string(line); }
};

class NmeaCodec final : public LineCodec {
 public:
  size_t max_line_bytes() const override { return nmea::kMaxSentenceBytes; }
  std::optional<std::string> Add(std::string_view line) override;
  std::optional<std::chrono::milliseconds> patience() const override;
  std::optional<std::string> Flush() override;

 private:
  nmea::EpochMerger merger_;
};

std::unique_ptr<LineCodec> MakeLineCodec(SerialCodec codec);

}  // namespace tidegate
