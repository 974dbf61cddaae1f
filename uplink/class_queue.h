// The records of one class between the store and the transport: the books of the batches that were
// read and are not yet delivered (Lane), and the decoded ones that are sent next (Outbox). It says
// which batch can be sent, and whether the next one should be read. Sends nothing itself. One
// thread.
//
// The main queue of a class holds all topics but those that are aside: each of these has a queue of
// its own, which reads the same batches again and ignores the records of other topics.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>

#include "core/clock.h"
#include "core/record.h"
#include "core/wire/wire_message.h"
#include "store/store.h"
#include "uplink/lane.h"
#include "uplink/outbox.h"
#include "uplink/store_access.h"
#include "uplink/topic_table.h"

namespace tidegate {

class ClassQueue {
 public:
  struct Options {
    Topics topics;
    // See Forwarder::Options.
    std::chrono::milliseconds linger{0};
    size_t max_tracked_records = 0;
  };
  // Returns false to end the round.
  using SendOne = std::function<bool(TrackedBatch& tracked, const Batch& batch, size_t index)>;

  // `table` and `clock` outlive the queue.
  ClassQueue(RecordClass record_class, const Options& options, TopicTable& table,
             const Clock& clock);

  // Makes the queue of a topic that is taken from `main`, with its records there, which main does
  // not hold any more. REQUIRES: no record of the topic is in flight.
  ClassQueue(ClassQueue& main, TopicIndex topic);

  RecordClass record_class() const { return record_class_; }
  // The only topic of a queue aside; nullopt: this is the main queue of its class.
  std::optional<TopicIndex> topic() const { return topic_; }
  // Returns true if this is a main queue, and half of what it may keep on its books is undelivered.
  bool Crowded() const;
  // The topic with the most unsent records of a crowded queue that accepts none of them; nullopt:
  // no topic holds up the others.
  std::optional<TopicIndex> Crowding(BootTime now);
  // The topic aside belongs to this main queue again. REQUIRES: its queue has read and delivered
  // everything up to this queue's cursor.
  void TakeBack(TopicIndex topic) { aside_.erase(topic); }
  // Returns true if this queue has still to deliver records of the batch, which another one has
  // done with.
  bool Needs(const TrackedBatch& batch);
  // Alerts and gaps are sent before the other classes, pass a closed gate, and do not linger.
  bool urgent() const { return record_class_ < RecordClass::kHeartbeat; }
  Lane& lane() { return lane_; }
  const Lane& lane() const { return lane_; }
  // Every record that is in the store, as far as is known, is delivered or in the dead letters.
  bool idle() const { return !maybe_new_ && lane_.undone() == 0; }

  // The store may hold a batch that follows those read.
  void ExpectNew() { maybe_new_ = true; }
  // The store holds none.
  void ExpectNone() { maybe_new_ = false; }
  // The main queue has read up to `seq`, and the store may hold batches up to there.
  void ExpectThrough(Seq seq) { maybe_new_ = lane_.cursor() < seq; }
  // The store holds no batch between the cursor and `seq`.
  void SkipTo(Seq seq) { lane_.SkipTo(seq); }
  // Returns true if there is nothing to send, or if what is gathered may still grow, and the store
  // may hold more.
  bool WantsMore(BootTime now);
  // Returns true if a queue aside has as many entries on its books as it may have.
  bool full() const;
  // When the queue reads on although its next record waits for its share; nullopt: it does not.
  std::optional<BootTime> LooksAheadAt(BootTime now);
  // Returns false if no record of the batch is this queue's. REQUIRES: the batch is of this class,
  // and follows those read before.
  bool Add(Batch batch);

  // Returns the first batch with a record that can be sent now; nullptr: none, or the records
  // linger.
  TrackedBatch* FirstSendable(BootTime now);
  // Returns true if the first batch with an unsent record waits only for its share of what may be
  // in flight.
  bool NextIsBusy(BootTime now);
  // When young records will have lingered long enough; nullopt: nothing lingers.
  std::optional<BootTime> GatheredAt() const;
  // Returns true if records wait for company.
  bool Lingers(BootTime now) const;
  // Records linger no more.
  void Hurry() { hurry_ = true; }

  // Returns the records of a tracked batch, which are read again if necessary; valid until the next
  // call that is not const. nullptr: the store cannot be read now (StoreAccess::available), or it
  // has dropped the batch, which then waits for nothing but the reports of records in flight.
  const Batch* Load(TrackedBatch& tracked, StoreAccess& store);
  // As Load(), but leaves what is loaded as it is: reads the batch into `spare` unless it is there
  // or loaded. Valid until then, and until `spare` changes.
  const Batch* Read(TrackedBatch& tracked, StoreAccess& store, std::optional<Batch>& spare);
  // Calls `send_one` for each record of the loaded batches that can be sent now, in the order in
  // which they are to be sent. Returns false if a call did.
  bool SendLoaded(BootTime now, const SendOne& send_one);

  // When the queue was last served, as a count.
  uint64_t served() const { return served_; }
  void Serve(uint64_t served) { served_ = served; }

  // Forgets all batches: their epoch has ended.
  void Clear();

 private:
  // Reads a tracked batch from the store; nullopt as Load().
  std::optional<Batch> ReadAgain(TrackedBatch& tracked, StoreAccess& store);
  // Whether the topic's records are sent by this queue.
  bool Holds(TopicIndex topic) const { return topic_ ? topic == *topic_ : !aside_.contains(topic); }
  // Adds the batch to the books. Returns true if a record of it is to be sent.
  bool Track(const Batch& batch);
  // Whether another topic may follow a record whose topic is busy.
  bool MayLookAhead() const { return topic_per_tenant_ && !topic_; }
  // Whether another batch may join those that are loaded.
  bool Gathers() const { return !outbox_.empty() && !outbox_.sealed() && !outbox_.full(); }

  const RecordClass record_class_;
  const Options options_;
  const bool topic_per_tenant_;
  const std::optional<TopicIndex> topic_;
  TopicTable& table_;
  const Clock& clock_;
  // Topics that have queues of their own.
  std::set<TopicIndex> aside_;
  Lane lane_;
  Outbox outbox_;
  bool maybe_new_ = true;
  bool hurry_ = false;
  BootTime look_ahead_at_{0};
  uint64_t served_ = 0;
};

}  // namespace tidegate
