// A payload to records: the members that Tidegate knows are found under their names and aliases,
// everything else is kept, and the canonical value is written (uplink/wire/FORMAT.md, "Value").
// Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/json/json.h"
#include "core/record.h"
#include "core/result.h"

namespace tidegate {

// What the gateway adds to a payload that does not say it itself.
struct DecodeContext {
  RecordClass record_class = RecordClass::kHeartbeat;
  std::string_view topic_tenant;  // From the topic: what contradicts it is refused.
  std::string_view topic_asset;
  std::string_view input_tenant;         // ?tenant=
  std::string_view input_asset;          // ?asset=
  std::string_view default_tenant;       // TIDEGATE_TENANT
  std::span<const std::string> tenants;  // TIDEGATE_TENANTS: others are refused; empty: any.
  WallTime arrival{};
  bool clock_synced = false;
};

// One element of a payload, valid during the callback only.
class DecodedRecord {
 public:
  DecodedRecord(const Record& record, json::Value source, std::optional<json::Value> latitude,
                std::optional<json::Value> longitude)
      : record_(record), source_(source), latitude_(latitude), longitude_(longitude) {}

  const Record& record() const { return record_; }
  // What FindField (core/rules) would find in the canonical value.
  std::optional<json::Value> Field(std::string_view name) const;

 private:
  const Record& record_;
  json::Value source_;
  std::optional<json::Value> latitude_;
  std::optional<json::Value> longitude_;
};

class DecodeSink {
 public:
  virtual ~DecodeSink() = default;
  // `decoded` looks at the record, so it is of no use once the record has been moved away.
  virtual void OnRecord(Record&& record, const DecodedRecord& decoded) = 0;
  // `payload` is the whole message, or the one element of its array that is refused.
  virtual void OnRefused(std::string_view payload, std::string reason) = 0;
};

// Every element of the payload ends in exactly one of the sink's calls.
void Decode(std::string_view payload, const DecodeContext& context, const json::Limits& limits,
            DecodeSink& sink);

}  // namespace tidegate
