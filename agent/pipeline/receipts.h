// Recognises a message that is in the store already when its source, which never got the
// acknowledgement, sends it again. One for each input. Loop thread only.
//
// A source sends again in a *resumed* session only, with the packet id of the first time. The
// content is compared by a fingerprint of the decoded records, so that it can be made from the
// store as well (fingerprint.h). Equal id and equal content are no proof yet: ids come round (after
// 65,535 messages, after 100, or at once: several brokers give the lowest free one), and a sensor
// that says "open" twice means it twice. DUP proves nothing: some brokers never set it, others set
// it on first deliveries. To take a new message for an old one is a loss, to take an old one for a
// new one merely doubles it, so each doubt is decided for "new":
//
// - Not acknowledged for certain, because no PUBACK was written: the broker still holds the
// message,
//   and its id cannot have been given to another. It is waited for until it comes, until
//   kWindow new messages have come, or until something shows that the broker does not keep ids: a
//   waiting id arrives with other content, or a waiting content with another id.
// - Perhaps acknowledged: the PUBACK was written, and lost on the way or not; after a restart of
//   ours nobody knows. Brokers begin a resumed session with what they send again, before they
//   answer the SUBSCRIBE. So these are waited for only until the first message that is none of
//   them, and until the answer (OnCaughtUp). And since their ids may be in use again, only if
//   nothing is lost by a mistake (the record carries its own time or id: the reader would take both
//   for one), or if this source's ids have not come twice for a long while.
//
// What remains: a broker that hands ids out again soon, and a crash of ours between a commit and
// its PUBACKs, store messages without a time of their own twice. A broker that goes back to an old
// state of its session (it crashed, and its persistence was behind) may give an id of before to a
// message that equals the one of before to the byte, first thing in the new connection: taken for
// the old one.
#pragma once

#include <bitset>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "agent/pipeline/fold_state.h"
#include "drivers/driver.h"

namespace tidegate {

class Receipts {
 public:
  // More than a broker has unacknowledged on the way with the driver's Receive Maximum.
  static constexpr size_t kWindow = 2048;
  // An id that came twice within a window is held against the source for that many messages.
  static constexpr uint32_t kReuseMemory = 65'536;

  // What is known of a message that comes in.
  struct Arrived {
    uint16_t packet_id = 0;
    uint32_t fingerprint = 0;
    bool same_record = false;  // Two of it count as one in any case.
    Ticket ticket = 0;
  };

  // A connection begins. Tickets above `acknowledged` have certainly not been acknowledged.
  void OnSession(bool resumed, Ticket acknowledged);
  // What the source had to send again at the beginning of its session has come.
  void OnCaughtUp();
  // Whether Redelivered() has anything to compare with: else a message need not be looked at before
  // it is taken.
  bool waiting() const { return !waiting_.empty(); }
  // True: the message is in the store, or waits for a commit, already. It is remembered as one that
  // has come just now.
  bool Redelivered(const Arrived& message);
  // A new message has been taken.
  void Add(const Arrived& message);

  // For the snapshot, and back. What is loaded is perhaps acknowledged.
  void Save(InputReceipts& saved) const;
  void Load(const InputReceipts& saved);

 private:
  struct Entry {
    Receipt receipt;
    Ticket ticket = 0;
  };
  struct Waiting {
    Receipt receipt;
    bool certain = false;
  };

  void Remember(const Entry& entry);
  bool Matches(const Waiting& waiting, const Arrived& message) const;
  void OnNew(const Arrived& message);

  std::deque<Entry> entries_;  // The last kWindow, in the order of arrival.
  std::bitset<65'536> ids_;    // Of entries_; of two with one id the younger may be missing.
  uint32_t since_reuse_ = kReuseMemory;  // Messages since an id came twice, kReuseMemory at most.
  std::vector<Waiting> waiting_;
  size_t new_since_resume_ = 0;
};

}  // namespace tidegate
