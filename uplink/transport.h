// Carries encoded records to the server side. Kafka in production, a scripted fake in tests. Loop
// thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/record.h"
#include "core/result.h"
#include "core/wire/wire_message.h"

namespace tidegate {

// The three things that a forwarder can act on.
enum class Delivery {
  kAcked,     // On the server's disks, as durable as the topic is.
  kRetry,     // Not delivered, may be later: send the same bytes again.
  kRejected,  // Refused as it is: too large, invalid. A broker refuses a whole request for one
              // record in it, so this is proven only for a record that was on its way alone.
};

class Transport {
 public:
  struct Report {
    Seq seq;
    Delivery delivery;
    std::string reason;  // For kRetry and kRejected, for people.
  };

  virtual ~Transport() = default;
  // Queues one message and returns at once; copies its bytes. kFull: no room, wait for reports.
  // kUnavailable: refused for now, try later. kRejected: it will never fit.
  virtual Status Send(Seq seq, const WireMessage& message) = 0;
  // Hands out the reports that have come in, exactly one for each accepted Send. Never waits.
  virtual void Drain(const std::function<void(const Report&)>& on_report) = 0;
  // Takes back what has been accepted: each gets its report soon, kRetry if it is not known to have
  // arrived, and nothing more is sent until then. Afterwards the transport begins anew.
  virtual void Recall(const std::string& reason) = 0;
  // Called on the loop when Drain or Send has something new to do: reports arrived, room, or a
  // connection.
  virtual void OnActivity(std::function<void()> callback) = 0;
  // Whether a broker answers. For people and for `readyz`; never a reason to hold a message back.
  virtual bool Connected() const = 0;
  // What has gone over the link since the transport began, in both directions, in bytes: repeats
  // and the protocol's own requests included, compressed.
  virtual uint64_t LinkBytes() const = 0;
};

}  // namespace tidegate
