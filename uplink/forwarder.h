// Takes batches from the store to the transport: alerts first, then gaps, then heartbeats and
// readings side by side; each class in its order, the records of an asset never past one another,
// and all but alerts and gaps only when the gate is open. A batch is deleted when each of its
// records is acknowledged or, refused for good, in the dead letters. Loop thread only; nothing
// waits.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/clock_history.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "core/metrics.h"
#include "core/wire/wire_message.h"
#include "store/store.h"
#include "uplink/forwarder_metrics.h"
#include "uplink/lane.h"
#include "uplink/live_share.h"
#include "uplink/outbox.h"
#include "uplink/probe.h"
#include "uplink/send_gate.h"
#include "uplink/topic_table.h"
#include "uplink/transport.h"

namespace tidegate {

struct ForwarderStatus {
  bool connected = false;
  uint64_t sent = 0;  // Records handed to the transport, repeats included.
  uint64_t acked = 0;
  uint64_t retried = 0;
  uint64_t rejected = 0;
  size_t in_flight_records = 0;
  size_t in_flight_bytes = 0;
  bool probing = false;  // Looking for the record that a broker refuses.
  std::optional<WallTime> last_delivery;
  std::string last_error;  // For people; the last record that came back. Empty: none yet.
  SendGateStatus gate;
};

class Forwarder {
 public:
  struct Options {
    std::string gateway;  // Together with the store's epoch it names every record.
    Topics topics;
    // Dates what an unsynchronised clock has dated (restamp.h); outlives the forwarder. Null: it
    // stays as it is.
    const ClockHistory* clock_history = nullptr;
    SendGate::Options gate;
    // What the kind of records that is less far behind (heartbeats or readings) gets of the link
    // while both wait, in percent.
    unsigned live_share_percent = 20;
    // How long heartbeats and readings wait for others to travel with; alerts and gaps never do. A
    // request of few records is many bytes a record (README.md).
    std::chrono::milliseconds linger{0};
    // What is on its way is in memory, about 1.5 kB a record: more only helps where bandwidth times
    // round trip is larger.
    size_t max_in_flight_records = 1500;
    size_t max_in_flight_bytes = 2 * 1024 * 1024;
    // While no broker answers: what waits in the library is in memory twice, and more of it brings
    // no broker back sooner. Not zero, because the library looks for a broker when it has work.
    size_t max_in_flight_away = 50;
    // Records of unfinished batches of a class, 12 bytes each. Reached when a topic refuses
    // everything; then nothing new is sent.
    size_t max_tracked_records = 20'000;
    std::chrono::milliseconds flush_after{
        1000};  // Deletes are written after so long without an append.
    Backoff::Options retry{std::chrono::milliseconds(100), std::chrono::seconds(30)};
    uint64_t seed = 0;  // Of the backoff.
  };

  // Sets the transport's activity callback. Begins in the next turn with what is in the store.
  Forwarder(Store& store, Transport& transport, Loop& loop, const Clock& clock, const Log& log,
            Metrics& metrics, Options options);
  ~Forwarder();

  // New batches are in the store; deletes asked for before have been written along.
  void OnStored();
  // The clock has been set, or called synchronised for the first time. What waits in the transport
  // without a link is taken back and dated anew. A clock set back takes all of it back: the
  // library's threads wait by the wall clock and would sleep until it has caught up.
  void OnClockSet(bool back);
  // Young records wait for no others from now on.
  void Hurry();
  // Sends nothing from now on, still takes reports.
  void Stop();
  // Nothing on its way and nothing left to send.
  bool Idle() const;
  // Nothing on its way, and nothing that the gate lets through now.
  bool Resting() const;
  ForwarderStatus status() const;

 private:
  enum class Sending { kSent, kHeld, kFull };

  void Step();
  void FollowEpoch();
  void FollowConnection();
  void TakeReports();
  void OnReport(const Transport::Report& report);
  void CameBack(Lane& lane, TrackedBatch& batch, TrackedRecord& record,
                const Transport::Report& report);
  void FinishBatches();

  void Pump();
  size_t MaxInFlight() const {
    return connected_since_ ? options_.max_in_flight_records : options_.max_in_flight_away;
  }
  size_t MaxInFlightBytes(bool urgent) const {
    if (urgent) return options_.max_in_flight_bytes;
    return static_cast<size_t>(std::min<uint64_t>(options_.max_in_flight_bytes, gate_.room()));
  }
  bool HasRoom(size_t record_class);
  // Whose turn it is; nullopt: nothing can be sent.
  std::optional<size_t> NextClass();
  TrackedBatch* SendableBatch(size_t record_class);
  std::optional<BootTime> GatheredAt(size_t record_class) const;
  bool Gathering(size_t record_class) const;
  bool WantsMore(size_t record_class);
  void Fetch();
  bool SendFrom(size_t record_class, TrackedBatch& tracked);
  Sending SendRecord(size_t record_class, TrackedBatch& tracked, const Batch& batch, size_t index);

  void StepProbe();
  bool SendGroup(const std::vector<Probe::Member>& members);
  void RefusedAlone(const std::vector<Probe::Member>& members);

  // The tracked batch's records; nullptr if the store cannot read it now or has given it up.
  const Batch* Load(size_t record_class, TrackedBatch& tracked);
  void Track(Batch batch);
  // False: not written, try later.
  bool WriteDeadLetter(const Record& record, const std::string& topic, const std::string& reason);
  bool Replayed(const ClockStamp& stamp) const;
  void StoreFailed(const Error& error);
  void Flush();
  void ArmRetry();

  Store& store_;
  Transport& transport_;
  const Clock& clock_;
  const Log& log_;
  const Options options_;
  ForwarderMetrics metrics_;
  LogLimit retry_limit_;
  LogLimit reject_limit_;
  LogLimit store_limit_;

  SendGate gate_;
  LiveShare share_;
  std::optional<size_t> live_;  // While both wait: the class that is less far behind.
  Origin origin_;
  std::array<Lane, kRecordClassCount> lanes_;
  std::array<Outbox, kRecordClassCount> outboxes_;
  std::array<bool, kRecordClassCount> maybe_new_;
  std::array<bool, kRecordClassCount> topic_per_tenant_{};
  TopicTable topics_;
  Probe probe_;
  size_t probe_sent_ = 0;  // Of the current group, in this round.
  bool suspects_ = false;
  std::string last_refusal_;

  size_t in_flight_ = 0;
  size_t in_flight_bytes_ = 0;
  size_t stale_reports_ = 0;  // Still to come for records of an epoch that is gone.
  bool throttled_ =
      false;  // Until half of what is on its way has come back, so that requests stay large.
  bool hurry_ = false;
  bool stopped_ = false;
  bool deletes_pending_ = false;
  BootTime now_{0};  // Of this step.
  BootTime store_retry_at_{0};
  std::optional<BootTime> connected_since_;
  ForwarderStatus totals_;

  std::unique_ptr<TurnEnd> turn_end_;
  std::unique_ptr<Timer> retry_timer_;
  std::unique_ptr<Timer> flush_timer_;
};

}  // namespace tidegate
