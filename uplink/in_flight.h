// Counts the records in flight, which are those sent and not yet reported on, and bounds them: in
// records, in bytes, and in what the gate allows. One thread.
//
// Invariants, each with the check that guards it:
//   - neither count falls below zero: Returned()
//   - the counts equal the sums over all queues: Forwarder::CheckBooks()
//   - no record is sent while reports of an earlier epoch are outstanding: Sent()
#pragma once

#include <cstddef>

#include "uplink/gate/send_gate.h"

namespace tidegate {

class InFlight {
 public:
  struct Limits {
    size_t max_records;
    size_t max_bytes;
    // While no broker answers.
    size_t max_records_unreachable;
  };

  // `gate` outlives this object.
  InFlight(Limits limits, const SendGate& gate) : limits_(limits), gate_(gate) {}

  void SetConnected(bool connected) { connected_ = connected; }
  // Returns whether one more record may be sent; an urgent one (an alert or a gap) has a quarter
  // more room and passes a closed gate. Once the limit is reached, other records have no room until
  // half of it is free, so that requests stay large. With nothing in flight a record of any size
  // has room.
  bool HasRoom(bool urgent);
  // REQUIRES: stale() == 0.
  void Sent(size_t bytes);
  // A record was reported on. REQUIRES: it was sent with as many bytes.
  void Returned(size_t bytes);
  // All reports that had come in are counted: ends the wait for half of the limit if it is free.
  // What the transport holds, for nobody knows how long, leaves less for the others, who use it all
  // the same.
  void Refill(size_t held_records, size_t held_bytes);
  // Whether that wait lasts.
  bool throttled() const { return throttled_; }

  // The records in flight belong to an epoch that has ended: their reports mean nothing.
  void Abandon();
  // Returns true if the next report is one of those, and counts it.
  bool TakeStale();

  size_t records() const { return records_; }
  // Bytes of keys and values, uncompressed.
  size_t bytes() const { return bytes_; }
  // The reports still to come for abandoned records.
  size_t stale() const { return stale_; }
  bool none() const { return records_ == 0 && stale_ == 0; }

 private:
  size_t MaxRecords() const;
  size_t MaxBytes(bool urgent) const;

  const Limits limits_;
  const SendGate& gate_;
  bool connected_ = false;
  bool throttled_ = false;
  size_t records_ = 0;
  size_t bytes_ = 0;
  size_t stale_ = 0;
};

}  // namespace tidegate
