// Sentences for tests: written without their frame.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace tidegate::nmea {

// $body*hh
inline std::string WithChecksum(std::string_view body) {
  unsigned sum = 0;
  for (char c : body) sum ^= static_cast<unsigned char>(c);
  return fmt::format("${}*{:02X}", body, sum);
}

}  // namespace tidegate::nmea
