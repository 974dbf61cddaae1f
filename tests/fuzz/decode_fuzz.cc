// A payload from a vehicle: every element becomes one record or one refusal, and a record's value
// is canonical JSON that decodes to itself and whose time can be replaced.
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/pipeline/decode.h"
#include "tests/fuzz/fuzz.h"

namespace {

constexpr std::array kNames{"temperature_c",
                            "location.latitude",
                            "location",
                            "lat",
                            "status",
                            "ts",
                            "timestamp",
                            "device_id",
                            "asset_id",
                            "tenant_id",
                            "event_id",
                            "driver_id",
                            "a",
                            "a.b",
                            "additional_data.a",
                            "x.y.z"};

std::string TextOf(std::optional<tidegate::json::Value> value) {
  std::string text;
  if (value) tidegate::json::Writer(text).Copy(*value);
  return text;
}

struct Collected final : tidegate::DecodeSink {
  void OnRecord(tidegate::Record&& record, const tidegate::DecodedRecord& decoded) override {
    const tidegate::DecodedRecord stored(record);
    for (const char* name : kNames) {
      tidegate::fuzz::Check(TextOf(decoded.Field(name)) == TextOf(stored.Field(name)),
                            "a rule sees the same when the record comes from the store");
    }
    records.push_back(std::move(record));
  }
  void OnRefused(std::string_view, std::string reason) override {
    reasons.push_back(std::move(reason));
  }
  std::vector<tidegate::Record> records;
  std::vector<std::string> reasons;
};

Collected Run(std::string_view payload) {
  tidegate::DecodeContext context;
  context.default_tenant = "acme";
  Collected collected;
  tidegate::Decode(payload, context, {}, collected);
  return collected;
}

// Given another time and its own again, a record is what it was.
void RedateThereAndBack(tidegate::Record record) {
  const tidegate::Record before = record;
  const tidegate::WallTime other = std::chrono::sys_days{std::chrono::year{2026} / 11 / 24};
  tidegate::fuzz::Check(tidegate::Redate(record, other), "a value holds its record's time");
  const Collected decoded = Run(record.value);
  if (decoded.records.size() == 1)
    tidegate::fuzz::Check(decoded.records[0].time == other, "the new time is the value's own");
  tidegate::fuzz::Check(tidegate::Redate(record, before.time) && record == before,
                        "nothing but the time has changed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Collected first = Run(tidegate::fuzz::TextOf(data, size));
  tidegate::fuzz::Check(first.records.size() + first.reasons.size() > 0, "it ends somewhere");
  for (const tidegate::Record& record : first.records) {
    tidegate::fuzz::Check(
        tidegate::IsTenantName(record.tenant) && tidegate::IsAssetName(record.asset),
        "a record has good names");
    RedateThereAndBack(record);
    const Collected second = Run(record.value);
    // A value may be a little larger than the payload it came from, and then over a limit.
    if (second.records.size() != 1) continue;
    tidegate::fuzz::Check(second.records[0].value == record.value, "canonical is canonical");
  }
  return 0;
}
