// Recognises a message that is stored already when its source, which never got the acknowledgement,
// sends it again. One object for each input. Loop thread only.
//
// Known loss: after a crash a broker may reuse an old packet id for a new, byte-identical message.
// It is taken for a redelivery and not stored. This needs a broker that went back to an older state
// of its session, or that counts ids anew on each connection and has not been seen to reuse one
// yet; and the message has to be the first one of the new connection. The same goes for a broker
// that owes us a message and drops it itself (message expiry): an identical new one looks like it.
//
// Known duplicates: a message without a time or id of its own is stored twice if we crash between
// its commit and its PUBACK, or its PUBACK is lost, and the broker reuses packet ids soon or sends
// again under new ones (README.md in drivers/mqtt names brokers).
//
// A source sends again in a *resumed* session only, and with the packet id of the first delivery.
// The content is compared by a fingerprint of the decoded records, which can be made from the store
// as well (fingerprint.h). Equal id and equal content prove nothing: ids are reused (after 65,535
// messages, after 100, or at once: several brokers assign the lowest free one), and a sensor that
// says "open" twice means it twice. DUP proves nothing: some brokers never set it, others set it on
// first deliveries. To mistake a new message for a stored one loses it, the opposite only doubles
// it. So every doubt is decided in favour of "new":
//
// - A message is certainly unacknowledged if no PUBACK was written. The broker still holds it, and
//   cannot have assigned its id to another. It is expected until it arrives, until kWindow new
//   messages have arrived, or until the broker is seen not to keep ids: an expected id arrives with
//   other content, or an expected content with another id. Until the first new message it is known
//   by its content alone, because some brokers send again under new ids: each is owed exactly once,
//   so that a new message that equals it only changes places with it.
// - A message is perhaps acknowledged if its PUBACK was written, which may have been lost; after a
//   restart of ours that holds for all. Brokers begin a resumed session with what they send again,
//   some of them after they have answered the SUBSCRIBE. So these messages are expected only until
//   the first message that is none of them, and until some seconds after that answer (OnCaughtUp).
//   A refused message does not count as that first one: after a crash nothing shows whether it has
//   come before. Their ids may be in use again, so they match only if a mistake loses nothing (the
//   record carries its own time or id: the reader would take both for one; it is then known by its
//   content alone as well), or if this source has not reused an id for kReuseMemory messages.
//
// Invariants: no more than kWindow receipts are kept (Remember) and expected (OnSession); they are
// kept in the order of their tickets (Remember).
#pragma once

#include <bitset>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "agent/pipeline/fold_state.h"
#include "drivers/driver.h"

namespace tidegate {

class Receipts {
 public:
  // More than a broker may have in flight, given the driver's Receive Maximum.
  static constexpr size_t kWindow = 2048;
  // A reused id counts against its source for that many messages.
  static constexpr uint32_t kReuseMemory = 65'536;

  // What is known of a message that arrives.
  struct Arrived {
    uint16_t packet_id = 0;
    uint64_t fingerprint = 0;
    // Each of its records carries its own time or id: two deliveries count as one for the reader.
    bool same_record = false;
    Ticket ticket = 0;
    // None of it is a record: it is in the dead letters, from which no receipt is restored.
    bool refused = false;
  };

  // A connection begins. Tickets above `acknowledged` have certainly not been acknowledged.
  void OnSession(bool resumed, Ticket acknowledged);
  // Everything that the source had to send again at the beginning of its session has arrived.
  void OnCaughtUp();
  // False: no message is expected again, so there is nothing to ask Redelivered().
  bool waiting() const { return !waiting_.empty(); }
  // True: the message is stored or pending already; it counts as the latest arrival now. False: it
  // is new, and Add() follows. A refused message that is not known may have been sent again all the
  // same, so the messages after it are still expected.
  bool Redelivered(const Arrived& message);
  // Remembers a new message that was accepted.
  void Add(const Arrived& message);

  // Writes the receipts into a snapshot.
  void Save(InputReceipts& saved) const;
  // Replaces everything by a snapshot's receipts; all of them are perhaps acknowledged.
  void Load(const InputReceipts& saved);

 private:
  struct Entry {
    Receipt receipt;
    Ticket ticket = 0;
    // The whole fingerprint; nullopt if it comes from a snapshot.
    std::optional<uint64_t> content;
  };
  // A message that may come again.
  struct Waiting {
    Receipt receipt;
    bool certain = false;
    std::optional<uint64_t> content;
  };
  using Expected = std::vector<Waiting>::iterator;

  static Entry EntryOf(const Arrived& message);

  void Remember(const Entry& entry);
  bool Matches(const Waiting& waiting, const Arrived& message) const;
  Expected Find(const Arrived& message);
  void OnNew(const Arrived& message);

  // The last kWindow messages, in the order of arrival.
  std::deque<Entry> entries_;
  // Packet ids in entries_; an id that is in there twice may be missing here.
  std::bitset<65'536> ids_;
  // Messages since an id was reused, kReuseMemory at most.
  uint32_t since_reuse_ = kReuseMemory;
  std::vector<Waiting> waiting_;
  size_t new_since_resume_ = 0;
};

}  // namespace tidegate
