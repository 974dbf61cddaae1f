// Sends single records of the queues: makes the message, hands it to the transport, and keeps all
// books of it. Writes a record that is refused for good to the dead letters. Loop thread only;
// nothing waits.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/clock_history.h"
#include "core/log.h"
#include "core/wire/wire_message.h"
#include "store/store.h"
#include "uplink/class_queue.h"
#include "uplink/forwarder_metrics.h"
#include "uplink/gate/send_gate.h"
#include "uplink/in_flight.h"
#include "uplink/store_access.h"
#include "uplink/topic_table.h"
#include "uplink/transport.h"

namespace tidegate {

class RecordSender {
 public:
  enum class WriteOutcome {
    kSent,
    // Not sent: its topic has to wait, or it is in the dead letters.
    kHeld,
    // Not sent: the transport has no room for any record.
    kFull,
  };
  struct Options {
    // See Forwarder::Options.
    std::string gateway;
    Topics topics;
    const ClockHistory* clock_history = nullptr;
  };
  // All of them outlive the sender.
  struct Parts {
    StoreAccess& store;
    Transport& transport;
    const Clock& clock;
    const Log& log;
    TopicTable& topics;
    SendGate& gate;
    InFlight& in_flight;
    ForwarderMetrics& metrics;
  };

  RecordSender(Options options, const Parts& parts);

  // The store was replaced: from now on records are named by its epoch.
  void BeginEpoch() { origin_.epoch = parts_.store.epoch(); }
  // Since when a broker answers; nullopt: none does. A record that was stored before is replayed.
  void SetConnectedSince(std::optional<BootTime> since) { connected_since_ = since; }

  // Sends the record at `index` of `batch`, which `tracked` keeps the books of. REQUIRES: the
  // record is unsent, and batch and tracked begin with the same seq.
  WriteOutcome Send(ClassQueue& queue, TrackedBatch& tracked, const Batch& batch, size_t index,
                    BootTime now, Route route);
  // Writes the record to the dead letters; it is done then. Returns false if the store cannot be
  // written now. REQUIRES: as Send().
  bool SetAside(ClassQueue& queue, TrackedBatch& tracked, const Batch& batch, size_t index,
                const std::string& reason);

 private:
  WireMessage MakeMessage(const Batch& batch, size_t index, const Record* restamped) const;
  bool Replayed(const ClockStamp& stamp) const;

  const Options options_;
  const Parts parts_;
  Origin origin_;
  std::optional<BootTime> connected_since_;
  LogLimit reject_limit_;
};

}  // namespace tidegate
