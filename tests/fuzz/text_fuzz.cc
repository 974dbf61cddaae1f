// Times, durations, sizes, names: what is read can be written, and reads back as the same.
#include <cstring>
#include <string>

#include "core/nearest.h"
#include "core/quantity.h"
#include "core/record.h"
#include "core/time_format.h"
#include "core/utf8.h"
#include "tests/fuzz/fuzz.h"

namespace tidegate::fuzz {
namespace {
void ReadAndWrite(std::string_view text) {
  if (const auto time = ParseTime(text)) {
    Check(FormatTime(*time).size() == 24, "a time has 24 characters");
    Check(ParseTime(FormatTime(*time)) == time, "a time reads back");
  }
  if (const auto duration = ParseDuration(text)) {
    Check(ParseDuration(FormatDuration(*duration)) == duration, "a duration reads back");
  }
  if (const auto bytes = ParseBytes(text)) {
    Check(ParseBytes(FormatBytes(*bytes)) == bytes, "a size reads back");
  }
  if (IsAssetName(text)) Check(IsUtf8(text) && IsUtf8(RecordKey("t", text)), "a key is UTF-8");
  if (IsTenantName(text)) Check(IsAssetName(text), "a tenant's name is plain text");
  Nearest(text, {"TIDEGATE_TENANT", "TIDEGATE_STORE_DIR"});
}

void ReadEpoch(std::string_view bytes) {
  double value = 0;
  if (bytes.size() != sizeof value) return;
  std::memcpy(&value, bytes.data(), sizeof value);
  if (const auto time = TimeFromEpoch(value)) {
    Check(ParseTime(FormatTime(*time)) == time, "a Unix time is a time");
  }
}
}  // namespace
}  // namespace tidegate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = tidegate::fuzz::TextOf(data, size);
  tidegate::fuzz::ReadAndWrite(text);
  tidegate::fuzz::ReadEpoch(text);
  return 0;
}
