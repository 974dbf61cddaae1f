// Bytes as a serial device may send them, through the framer and the NMEA codec: whatever comes,
// memory stays bounded and every payload is one JSON object without surprises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/serial/line_codec.h"
#include "drivers/serial/line_framer.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckPayload(const std::optional<std::string>& payload) {
  if (!payload.has_value()) return;
  Check(payload->starts_with("{") && payload->ends_with("\"}"));
  Check(payload->size() < 400);
  Check(payload->find("\"fix\":") != std::string::npos);
  for (char c : *payload) Check(c >= 0x20 && c < 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(data, data + size);
  tidegate::NmeaCodec codec;
  tidegate::LineFramer framer(codec.max_line_bytes());
  constexpr size_t kPiece = 37;
  for (size_t at = 0; at < bytes.size(); at += kPiece) {
    framer.Feed(std::string_view(bytes).substr(at, kPiece));
    while (const auto line = framer.Next()) CheckPayload(codec.Add(*line));
    Check(framer.buffered_bytes() <= codec.max_line_bytes() + 1);
  }
  CheckPayload(codec.Flush());
  return 0;
}
