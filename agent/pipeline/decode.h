// A payload to records: the members that Tidegate knows are found under their names and aliases,
// everything else is kept, and the canonical value is written (core/wire/FORMAT.md, "Value").
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

// A record and its fields. One element of a payload, valid during the callback only; or a record
// that comes from the store.
class DecodedRecord {
 public:
  // Of a stored record, which outlives this; its value is parsed when a field is asked for.
  explicit DecodedRecord(const Record& record) : record_(record) {}
  DecodedRecord(const Record& record, json::Value source, std::optional<json::Value> latitude,
                std::optional<json::Value> longitude)
      : record_(record), source_(source), latitude_(latitude), longitude_(longitude) {}

  const Record& record() const { return record_; }
  // What FindField (core/rules) finds in the canonical value, so that a record means the same to a
  // rule when it comes from the store again.
  std::optional<json::Value> Field(std::string_view name) const;

 private:
  bool FoundInSource(std::string_view name) const;
  std::optional<json::Value> FieldOfValue(std::string_view name) const;

  const Record& record_;
  std::optional<json::Value> source_;  // What it was decoded from, if it was just now.
  std::optional<json::Value> latitude_;
  std::optional<json::Value> longitude_;
  mutable std::optional<json::Document> value_;  // The canonical value, parsed when it is needed.
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
