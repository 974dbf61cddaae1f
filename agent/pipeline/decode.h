// Decodes a payload into records: finds the members that Tidegate knows under their names and
// aliases, keeps everything else, and writes the canonical value (core/wire/FORMAT.md, "Value").
// Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/json/json.h"
#include "core/record.h"
#include "core/result.h"

namespace tidegate {

// What the gateway adds where a payload does not say it itself. The views are valid for Decode().
struct DecodeContext {
  RecordClass record_class = RecordClass::kHeartbeat;
  // Tags of the topic; empty: none. A payload that contradicts them is refused.
  std::string_view topic_tenant;
  std::string_view topic_asset;
  // Tags of the input (?tenant=, ?asset=); empty: none. A payload or topic that contradicts the
  // tenant is refused; the asset is that of records that name none.
  std::string_view input_tenant;
  std::string_view input_asset;
  // TIDEGATE_TENANT; empty: none.
  std::string_view default_tenant;
  // TIDEGATE_TENANTS: other tenants are refused; empty: any.
  std::span<const std::string> tenants;
  // The time of a record that has none of its own.
  WallTime arrival{};
  bool clock_synced = false;
};

// A record with access to its fields: an element of a payload, valid during OnRecord() only, or a
// record as it is stored. The record outlives this object and is not moved from while fields are
// read.
class DecodedRecord {
 public:
  // For a stored record; its value is parsed when the first field is asked for.
  explicit DecodedRecord(const Record& record) : record_(record) {}
  // For an element that was decoded just now. The values outlive this object.
  DecodedRecord(const Record& record, json::Value source, std::optional<json::Value> latitude,
                std::optional<json::Value> longitude)
      : record_(record), source_(source), latitude_(latitude), longitude_(longitude) {}

  const Record& record() const { return record_; }
  // Returns what FindField (core/rules) finds in the canonical value, so that a rule sees the same
  // when the record is read from the store again.
  std::optional<json::Value> Field(std::string_view name) const;

 private:
  bool FoundInSource(std::string_view name) const;
  std::optional<json::Value> FieldOfValue(std::string_view name) const;

  const Record& record_;
  // The payload's element; nullopt for a stored record.
  std::optional<json::Value> source_;
  std::optional<json::Value> latitude_;
  std::optional<json::Value> longitude_;
  // The canonical value, parsed on demand.
  mutable std::optional<json::Document> value_;
};

class DecodeSink {
 public:
  virtual ~DecodeSink() = default;
  // `decoded` refers to `record`, so it is unusable once the record has been moved from.
  virtual void OnRecord(Record&& record, const DecodedRecord& decoded) = 0;
  // `payload` is the whole message, or the one element of its array that is refused. `reason` is
  // for people.
  virtual void OnRefused(std::string_view payload, std::string reason) = 0;
};

// Calls the sink exactly once for each element of the payload, in order, and at least once.
void Decode(std::string_view payload, const DecodeContext& context, const json::Limits& limits,
            DecodeSink& sink);

}  // namespace tidegate
