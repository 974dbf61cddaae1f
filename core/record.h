// The record: what one heartbeat, reading, alert or gap is between the pipeline and the wire. Its
// value is canonical JSON, made once in the pipeline (core/wire/FORMAT.md); nothing downstream
// changes it. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace tidegate {

// Counts the records of one store: 1, 2, 3, ... Never reused within a store's epoch, survives
// restarts.
using Seq = uint64_t;

// In the order of urgency: what is sent first, and what is given up last. The numbers are part of
// the store's format.
enum class RecordClass : uint8_t { kAlert = 0, kGap = 1, kHeartbeat = 2, kReading = 3 };
inline constexpr std::array<RecordClass, 4> kRecordClasses{
    RecordClass::kAlert, RecordClass::kGap, RecordClass::kHeartbeat, RecordClass::kReading};
inline constexpr size_t kRecordClassCount = kRecordClasses.size();

// alert, gap, heartbeat, reading.
std::string_view RecordClassName(RecordClass record_class);
std::optional<RecordClass> RecordClassFromName(std::string_view name);

// Who gave a record its time.
enum class TimeSource : uint8_t {
  kSource = 0,   // The payload carries it.
  kGateway = 1,  // The time of arrival.
};

struct Record {
  RecordClass record_class = RecordClass::kHeartbeat;
  TimeSource time_source = TimeSource::kGateway;
  bool clock_synced =
      false;           // Whether the gateway's clock was synchronised when the record arrived.
  WallTime time{};     // Of the event: the value's "timestamp".
  std::string tenant;  // Passes IsTenantName.
  std::string asset;   // Passes IsAssetName.
  std::string value;   // Canonical JSON.

  friend bool operator==(const Record&, const Record&) = default;
};

// Where the 24 characters of the time stand in a canonical value, between their quotes. npos: not a
// value of ours.
size_t TimestampPosition(std::string_view canonical_value);
// Gives the record another time, in its value too; nothing else changes. False: its value does not
// hold its time, and nothing has been changed.
bool Redate(Record& record, WallTime time);

inline constexpr size_t kMaxTenantBytes = 64;
inline constexpr size_t kMaxAssetBytes = 128;
// 1 to 64 of A-Z a-z 0-9 . _ - and not only dots.
bool IsTenantName(std::string_view text);
// 1 to 128 bytes of UTF-8 without control characters.
bool IsAssetName(std::string_view text);

// tenant/asset with every '/' and '%' of the asset percent-encoded, so that different pairs never
// share a key. The Kafka key, and the beginning of ids.
std::string RecordKey(std::string_view tenant, std::string_view asset);

}  // namespace tidegate
