// Forwards batches from the store to the transport. Alerts go first, then gaps, then heartbeats and
// readings in turn; all but alerts and gaps are sent only while the gate is open. Records of an
// asset are sent in their order, class by class. A batch is deleted when each of its records is
// acknowledged or, refused for good, in the dead letters. Loop thread only; nothing waits.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/clock_history.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "core/metrics.h"
#include "core/wire/wire_message.h"
#include "store/store.h"
#include "uplink/class_queue.h"
#include "uplink/forwarder_metrics.h"
#include "uplink/gate/send_gate.h"
#include "uplink/in_flight.h"
#include "uplink/queue_set.h"
#include "uplink/record_sender.h"
#include "uplink/store_access.h"
#include "uplink/topic_table.h"
#include "uplink/transport.h"
#include "uplink/trial/trials.h"
#include "uplink/turn_order.h"

namespace tidegate {

struct ForwarderStatus : ForwarderCounts {
  // Whether a broker answers.
  bool connected = false;
  size_t in_flight_records = 0;
  size_t in_flight_bytes = 0;
  // Topics whose broker has refused a request during the last minutes (trial/topic_trial.h).
  size_t topics_on_trial = 0;
  // Topics that accept nothing and wait apart from the others of their class (queue_set.h).
  size_t topics_aside = 0;
  // Whether a refused record is looked for among others.
  bool probing = false;
  SendGateStatus gate;
};

class Forwarder {
 public:
  struct Options {
    // Names every record, together with the store's epoch.
    std::string gateway;
    Topics topics;
    // Dates records that were dated by an unsynchronised clock (restamp.h); outlives the forwarder.
    // Null: they keep their dates.
    const ClockHistory* clock_history = nullptr;
    SendGate::Options gate;
    // Percentage of the link, 0 to 100, for heartbeats or readings, whichever has the smaller
    // backlog, while both wait.
    unsigned live_share_percent = 20;
    // How long heartbeats and readings wait for others to share a request with, because small
    // requests cost more bytes a record (README.md). Alerts and gaps never wait.
    std::chrono::milliseconds linger{0};
    // Of one topic; all topics together may have a quarter more. Costs about 1.5 kB of memory a
    // record. More helps only if bandwidth times round trip is larger.
    size_t max_in_flight_records = 1500;
    size_t max_in_flight_bytes = 2 * 1024 * 1024;
    // The same while no broker answers: records that wait in the library are in memory twice. Not
    // zero, because the library only looks for a broker while it has work.
    size_t max_in_flight_unreachable = 50;
    // Undelivered records of a class that are on the books, 16 bytes each. When half of it is
    // reached, a topic that accepts nothing is taken aside (queue_set.h).
    size_t max_tracked_records = 20'000;
    // Deletes are written after this time without an append.
    std::chrono::milliseconds flush_after{1000};
    // How long a topic waits after a record of it came back.
    Backoff::Options retry{std::chrono::milliseconds(100), std::chrono::seconds(30)};
    // Seed of these waits.
    uint64_t seed = 0;
  };

  // Sets the transport's activity callback, and begins in the next turn with what is in the store.
  // All references outlive the forwarder.
  Forwarder(Store& store, Transport& transport, Loop& loop, const Clock& clock, const Log& log,
            Metrics& metrics, Options options);
  ~Forwarder();

  // The store has appended new batches, and has written the pending deletes with them.
  void OnStored();
  // More of what is stored may be sent, as after a step of a salvage; no append has written the
  // pending deletes.
  void OnSendable();
  // The clock was set, or is synchronised for the first time. Recalls what waits in the transport
  // while no broker answers, to date it anew. A clock set back recalls everything: the library's
  // threads wait by the wall clock, and would sleep until it has caught up.
  void OnClockSet(bool back);
  // `callback` is called at the end of a step in which a batch was delivered, so that a full store
  // may have room. It may append to the store.
  void OnDelivered(std::function<void()> callback) { on_delivered_ = std::move(callback); }
  // From now on no record lingers.
  void Hurry();
  // From now on nothing is sent; reports are still read.
  void Stop();
  // Returns true if nothing is in flight and nothing is left to send.
  bool Idle() const;
  // Returns true if nothing is in flight, and nothing is left that the gate allows now.
  bool Resting() const;
  ForwarderStatus status() const;

 private:
  void Step();
  void FollowEpoch();
  void FollowConnection();
  void TakeReports();
  void OnReport(const Transport::Report& report);
  void OnCameBack(ClassQueue& queue, TrackedBatch& batch, TrackedRecord& record,
                  const Transport::Report& report);
  void ReadQueues();
  // Lets the topics on trial go on, and has another step follow if that makes room.
  void StepTrials();
  // Recalls what the transport has held for too long.
  void RecallOverdue();
  void Pump();
  bool SendFrom(ClassQueue& queue, TrackedBatch& batch);
  // Returns whether a batch was delivered.
  bool FinishBatches();
  void CheckBooks() const;
  void ArmRetry();

  Transport& transport_;
  const Clock& clock_;
  const Log& log_;
  ForwarderMetrics metrics_;
  LogLimit retry_limit_;

  StoreAccess store_;
  SendGate gate_;
  TopicTable topics_;
  InFlight in_flight_;
  QueueSet queues_;
  TurnOrder turns_;
  RecordSender sender_;
  std::optional<Batch> trial_batch_;
  Trials trials_;

  std::function<void()> on_delivered_;
  // The time of this step.
  BootTime now_{0};
  std::optional<BootTime> connected_since_;
  BootTime recall_from_{0};
  bool stopped_ = false;

  std::unique_ptr<TurnEnd> turn_end_;
  std::unique_ptr<Timer> retry_timer_;
};

}  // namespace tidegate
