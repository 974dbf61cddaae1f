// The settings of one serial input, and their parser from its URI:
// serial:/dev/serial/by-id/usb-...?codec=nmea&baud=4800. Pure; any thread.
#pragma once

#include <string>

#include "core/result.h"
#include "drivers/driver.h"
#include "drivers/uri.h"

namespace tidegate {

enum class SerialCodec {
  kJsonLines,  // Each line is a payload.
  kNmea,       // NMEA 0183: the RMC and the GGA of one moment are a payload.
};

enum class Parity { kNone, kEven, kOdd };

// How bytes are sent on the line.
struct LineFormat {
  // One of the rates that termios has; see IsBaudRate().
  unsigned baud = 9600;
  Parity parity = Parity::kNone;
  int data_bits = 8;
  int stop_bits = 1;

  friend bool operator==(const LineFormat&, const LineFormat&) = default;
};

// Writes the usual notation: 9600 8N1.
std::string ToText(const LineFormat& format);
// True if termios has the rate.
bool IsBaudRate(unsigned baud);

struct SerialOptions {
  // An absolute path. A name under /dev/serial/by-id stays the same in whichever port the device is
  // plugged in.
  std::string device;
  SerialCodec codec = SerialCodec::kJsonLines;
  // NMEA 0183 receivers send 4800 8N1 by the standard, mostly 9600.
  LineFormat format;
  Input input;
};

// The names of the query are codec, baud, parity, stop, data, and those that every input has
// (asset, tenant, kind); others are refused. kInvalid: everything that is wrong, joined by "; ".
Result<SerialOptions> ParseSerialOptions(const Input& input, const Uri& uri);

}  // namespace tidegate
