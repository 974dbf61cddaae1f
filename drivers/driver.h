// The interface between an input and the pipeline. A driver reads one source (an MQTT broker, a
// serial line, a simulated fleet) and offers what it reads, message by message, to an inbox. Each
// message that the inbox accepts gets a ticket. When the pipeline reports the ticket as settled,
// the driver acknowledges the message to its source, and not before: what a crash takes from us is
// then still with the source.
//
//   driver                                     inbox (one for each input)
//     Offer(message, ticket 7)            ->   accepted: copied, and owed to the driver
//                                         <-   Settled(7): durable, or in the dead letters
//     acknowledges 7 to its source
//
// *Settled* is said of a ticket and means one thing: its message is durable in the store or set
// aside in the dead letters, so that its source may be acknowledged.
//
// Everything runs on the agent's loop thread, and nothing here waits. A new driver is a folder
// under drivers/ and a line in registry.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/loop/loop.h"
#include "core/record.h"
#include "core/result.h"

namespace tidegate {

// Numbers the messages of one driver that its inbox has accepted: 1, 2, 3, ... without a gap, from
// 1 again with each driver object.
using Ticket = uint64_t;

// One configured input: TIDEGATE_INPUT_<NAME> and those tags of its URI that hold for every
// message.
struct Input {
  // <NAME> in lower case. Labels metrics and dead letters.
  std::string name;
  // ?tenant= and ?asset=; empty if not given.
  std::string tenant;
  std::string asset;
  // ?kind=heartbeat|reading
  RecordClass record_class = RecordClass::kHeartbeat;
};

// What a driver read. The views are valid during Inbox::Offer() only.
struct Message {
  // JSON: an object, or an array of objects. Not checked by the driver.
  std::string_view payload;
  // Named by the topic; empty if it names none.
  std::string_view tenant;
  std::string_view asset;
  // Topic, device path or peer: shows in a dead letter where it came from.
  std::string_view origin;
  // If not empty: why this message cannot belong to the input. It is set aside in the dead letters
  // with this reason, whatever it contains.
  std::string_view refused{};
  // The source kept this message for whoever asks, and has perhaps sent it to us before. It may be
  // older than everything that is stored.
  bool retained = false;
  // Set by sources that send a message again when its acknowledgement is lost. In a resumed session
  // both deliveries have the same id.
  std::optional<uint16_t> packet_id;
  // The size of the payload at its source, if `payload` is only its beginning; else 0. Set only
  // together with `refused`.
  uint64_t whole_bytes = 0;
};

// Where a driver puts what it reads. The pipeline implements it.
class Inbox {
 public:
  virtual ~Inbox() = default;
  // Accepts the message: copies it and owes Driver::Settled(ticket). Or refuses it with false,
  // because there is no room: the driver keeps it or leaves it unread, and Driver::Resume()
  // follows. Does not call the driver back before it returns. REQUIRES: ticket is 1, or one more
  // than the last accepted ticket.
  virtual bool Offer(const Message& message, Ticket ticket) = 0;

  // A new connection to a source that keeps a session for us.
  struct Session {
    // True if the source has kept the session, and may send again, with the same packet ids, what
    // it holds to be unacknowledged.
    bool resumed = false;
    // No acknowledgement was sent for a ticket above this one. For the others it was written, and
    // may have been lost on the way.
    Ticket acknowledged = 0;
  };
  // Called before anything of the connection is offered. REQUIRES: every accepted ticket is
  // settled.
  virtual void OnSession(const Session&) {}
  // Everything that the source sends again in a resumed session has been offered, or it has had
  // time for that; what follows is new.
  virtual void OnCaughtUp() {}
};

// What `status` shows of an input.
struct DriverStatus {
  bool connected = false;
  // For people: "connected, MQTT 5, window 1000", or the last error. Never a secret.
  std::string detail;
};

class Driver {
 public:
  virtual ~Driver() = default;
  // Connects, and from then on reconnects by itself: an unreachable source is no error. `loop` and
  // `inbox` outlive the driver. kInvalid: this configuration can never work. REQUIRES: called once.
  virtual Status Start(Loop& loop, Inbox& inbox) = 0;
  // From now on nothing new is offered. The driver stays connected if it has acknowledgements to
  // send, and Settled() still sends them.
  virtual void Stop() = 0;
  // Every ticket up to `last` is settled: acknowledges their messages to the source. Calls with the
  // same or an older ticket change nothing. REQUIRES: the inbox has accepted `last`, or it is 0.
  virtual void Settled(Ticket last) = 0;
  // The inbox has room again after Offer() returned false. May be called at other times.
  virtual void Resume() = 0;
  // True if the source sends nothing more until Settled(): the pipeline then commits at once and
  // does not wait for the commit interval. Asked at the end of a turn of the loop.
  virtual bool Starved() const = 0;
  virtual DriverStatus status() const = 0;
};

}  // namespace tidegate
