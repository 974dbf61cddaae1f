#include "uplink/in_flight.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/check.h"

namespace tidegate {

size_t InFlight::MaxRecords() const {
  return connected_ ? limits_.max_records : limits_.max_records_unreachable;
}

size_t InFlight::MaxBytes(bool urgent) const {
  if (urgent) return limits_.max_bytes;
  return static_cast<size_t>(std::min<uint64_t>(limits_.max_bytes, gate_.room()));
}

bool InFlight::HasRoom(bool urgent) {
  if (!urgent && !gate_.open()) return false;
  const size_t quarters = urgent ? 5 : 4;
  const bool full =
      records_ >= MaxRecords() * quarters / 4 || bytes_ >= MaxBytes(urgent) / 4 * quarters;
  if (records_ == 0) return true;
  if (full) throttled_ = true;
  return !full && (!throttled_ || urgent);
}

void InFlight::Sent(size_t bytes) {
  CHECK(stale_ == 0, "a new epoch sends after the last report of the previous one");
  ++records_;
  bytes_ += bytes;
  CHECK(bytes_ >= bytes, "the bytes in flight do not overflow");
}

void InFlight::Returned(size_t bytes) {
  CHECK(records_ > 0, "a report is for a record in flight");
  CHECK(bytes_ >= bytes, "a report frees no more bytes than are in flight");
  --records_;
  bytes_ -= bytes;
  CHECK(records_ > 0 || bytes_ == 0, "no record in flight, no bytes in flight");
}

void InFlight::Refill(size_t held_records, size_t held_bytes) {
  CHECK(held_records <= records_ && held_bytes <= bytes_, "what is held is in flight");
  const auto half_is_free = [](size_t used, size_t held, size_t max) {
    return used - held <= (max > held ? max - held : 0) / 2;
  };
  if (half_is_free(records_, held_records, MaxRecords()) &&
      half_is_free(bytes_, held_bytes, MaxBytes(false)))
    throttled_ = false;
}

void InFlight::Abandon() {
  stale_ += std::exchange(records_, 0);
  bytes_ = 0;
}

bool InFlight::TakeStale() {
  if (stale_ == 0) return false;
  CHECK(records_ == 0, "nothing of the new epoch is in flight beside the previous one");
  --stale_;
  return true;
}

}  // namespace tidegate
