// A driver turns one source (a broker, a serial line, an HTTP client) into messages. Everything
// runs on the agent's loop thread, and nothing here blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/loop/loop.h"
#include "core/record.h"
#include "core/result.h"

namespace tidegate {

// Counts what one driver has handed over: 1, 2, 3, ... It never goes back while the driver lives.
using Ticket = uint64_t;

// One configured input: TIDEGATE_INPUT_<NAME> and the tags of its URI that hold for every message.
struct Input {
  std::string name;    // <NAME> in lower case; labels metrics and dead letters.
  std::string tenant;  // ?tenant=, empty if not given.
  std::string asset;   // ?asset=, empty if not given.
  RecordClass record_class = RecordClass::kHeartbeat;  // ?kind=heartbeat|reading
};

// What a driver read. The views are valid during Inbox::Offer only.
struct Message {
  std::string_view payload;  // JSON: an object, or an array of objects.
  std::string_view tenant;   // From the topic; empty if it does not name one.
  std::string_view asset;    // From the topic; empty if it does not name one.
  std::string_view origin;   // Topic, device path or peer: where a dead letter came from.
  // Set by sources that may send a message again after a crash: equal for both deliveries of one
  // message in a resumed session.
  std::optional<uint16_t> packet_id;
};

// Where a driver puts what it reads. The pipeline implements it, one for each input; tests collect
// into a vector.
class Inbox {
 public:
  virtual ~Inbox() = default;
  // Takes the message and owes its acknowledgement: Driver::Settled(ticket) follows once it is on
  // disk, or set aside in the dead letters. Never calls the driver back before it returns. False:
  // no room now; keep it unread (or refuse it), Driver::Resume() follows. REQUIRES: ticket is one
  // more than the last accepted one.
  virtual bool Offer(const Message& message, Ticket ticket) = 0;

  // From sources that keep a session: a connection begins, and nothing of it has been offered yet.
  struct Session {
    // The source still has the session of before, and may send again, with the packet id of the
    // first time, what it holds to be unacknowledged.
    bool resumed = false;
    // Tickets above it have certainly not been acknowledged to the source; the others have perhaps:
    // their acknowledgement was written, and may have been lost on the way.
    Ticket acknowledged = 0;
  };
  // REQUIRES: every accepted ticket is settled.
  virtual void OnSession(const Session&) {}
  // Everything that a source sends again before anything else in a resumed session was offered.
  virtual void OnCaughtUp() {}
};

// What `status` tells of an input.
struct DriverStatus {
  bool connected = false;
  std::string
      detail;  // For people: "connected, MQTT 5, window 1000", or the last error. Never a secret.
};

class Driver {
 public:
  virtual ~Driver() = default;
  // Connects and registers its event sources; keeps reconnecting by itself. kInvalid: this
  // configuration can never work. A source that is away is no error. `loop` and `inbox` outlive the
  // driver.
  virtual Status Start(Loop& loop, Inbox& inbox) = 0;
  // Takes nothing new from the source from now on, but stays connected, so that Settled() can still
  // acknowledge.
  virtual void Stop() = 0;
  // Every ticket up to `last` is safe: acknowledge it to the source.
  virtual void Settled(Ticket last) = 0;
  // There is room again after Offer() returned false.
  virtual void Resume() = 0;
  // True if the source sends no more until Settled(): the pipeline then commits without waiting.
  // Asked at the end of a turn.
  virtual bool Starved() const = 0;
  virtual DriverStatus status() const = 0;
};

}  // namespace tidegate
