// What the URI of a serial input says: serial:/dev/serial/by-id/usb-...?codec=nmea&baud=4800. Pure.
#pragma once

#include <string>

#include "core/result.h"
#include "drivers/driver.h"
#include "drivers/uri.h"

namespace tidegate {

enum class SerialCodec {
  kJsonLines,  // Each line is a payload.
  kNmea,       // NMEA 0183; RMC and GGA of one moment are a payload.
};

enum class Parity { kNone, kEven, kOdd };

// How bytes stand on the line.
struct LineFormat {
  unsigned baud = 9600;  // One of the rates that termios names.
  Parity parity = Parity::kNone;
  int data_bits = 8;
  int stop_bits = 1;

  friend bool operator==(const LineFormat&, const LineFormat&) = default;
};

// As it is usually written: 9600 8N1.
std::string ToText(const LineFormat& format);
// True if termios knows the rate.
bool IsBaudRate(unsigned baud);

struct SerialOptions {
  std::string device;  // Absolute. A name under /dev/serial/by-id stays the same wherever the cable
                       // is plugged in.
  SerialCodec codec = SerialCodec::kJsonLines;
  LineFormat format;  // NMEA 0183 receivers speak 4800 8N1 by the standard, 9600 mostly.
  Input input;
};

// kInvalid: everything that is wrong, joined by "; ". The names of the query are codec, baud,
// parity, stop, data, and those that every input has (asset, tenant, kind); others are refused.
Result<SerialOptions> ParseSerialOptions(const Input& input, const Uri& uri);

}  // namespace tidegate
