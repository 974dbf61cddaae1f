// The record: one heartbeat, reading, alert or gap on its way from the pipeline to the wire. The
// pipeline makes its value once, as canonical JSON (core/wire/FORMAT.md), and only Redate() changes
// it afterwards. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace tidegate {

// The number of a record in its store: 1, 2, 3, ... Numbers survive restarts and are never reused
// within a store's epoch.
using Seq = uint64_t;

// The most urgent class comes first: it is sent first, and dropped last when the store is full. The
// numbers are part of the store's format.
enum class RecordClass : uint8_t { kAlert = 0, kGap = 1, kHeartbeat = 2, kReading = 3 };
inline constexpr std::array<RecordClass, 4> kRecordClasses{
    RecordClass::kAlert, RecordClass::kGap, RecordClass::kHeartbeat, RecordClass::kReading};
inline constexpr size_t kRecordClassCount = kRecordClasses.size();

// Returns alert, gap, heartbeat or reading. REQUIRES: one of the four.
std::string_view RecordClassName(RecordClass record_class);
std::optional<RecordClass> RecordClassFromName(std::string_view name);

// Where a record's time is from: the payload, or the gateway's clock when the record arrived.
enum class TimeSource : uint8_t { kSource = 0, kGateway = 1 };

struct Record {
  RecordClass record_class = RecordClass::kHeartbeat;
  TimeSource time_source = TimeSource::kGateway;
  // Whether the gateway's clock was synchronised when the record arrived.
  bool clock_synced = false;
  // When the event happened: the "timestamp" of the value.
  WallTime time{};
  // Empty, or IsTenantName() accepts it.
  std::string tenant;
  // IsAssetName() accepts it.
  std::string asset;
  // Canonical JSON.
  std::string value;

  friend bool operator==(const Record&, const Record&) = default;
};

// Returns the offset of the timestamp's 24 characters, without their quotes, in a canonical value;
// npos if the value has no timestamp.
size_t TimestampPosition(std::string_view canonical_value);
// Changes the record's time, both the member and the timestamp in the value. Returns false and
// changes nothing if the value does not contain the record's time.
bool Redate(Record& record, WallTime time);

inline constexpr size_t kMaxTenantBytes = 64;
inline constexpr size_t kMaxAssetBytes = 128;
// Accepts 1 to 64 of A-Z a-z 0-9 . _ -, but not only dots.
bool IsTenantName(std::string_view text);
// Accepts 1 to 128 bytes of UTF-8 without control characters.
bool IsAssetName(std::string_view text);

// Returns tenant/asset with every '/' and '%' of the asset percent-encoded, so that different pairs
// never share a key. It is the Kafka key and the beginning of ids.
std::string RecordKey(std::string_view tenant, std::string_view asset);

}  // namespace tidegate
