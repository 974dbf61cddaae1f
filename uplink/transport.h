// Carries encoded records to the server side: Kafka in production, a scripted fake in tests. Loop
// thread only; no call waits.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/record.h"
#include "core/result.h"
#include "core/wire/wire_message.h"

namespace tidegate {

// What became of a message.
enum class Delivery {
  // It is stored by the server, as durably as its topic is.
  kAcked,
  // It was not delivered, as far as is known: send the same bytes again.
  kRetry,
  // It was refused as it is: too large, or invalid. A broker refuses a whole request for one record
  // in it, so this is proven only for a record that was in flight alone.
  kRejected,
};

class Transport {
 public:
  struct Report {
    Seq seq;
    Delivery delivery;
    // For people; empty for kAcked.
    std::string reason;
  };

  virtual ~Transport() = default;
  // Queues one message and returns at once; copies its bytes. `seq` names it in its report.
  // kFull: there is no room before the next reports. kUnavailable: it is refused for now, try
  // later. kRejected: it can never be sent.
  virtual Status Send(Seq seq, const WireMessage& message) = 0;
  // Passes on the reports that have arrived: exactly one for each accepted Send, whatever the
  // library or the server does.
  virtual void Drain(const std::function<void(const Report&)>& on_report) = 0;
  // Takes back the accepted messages: each gets its report soon, kRetry if it is not known to have
  // arrived, and nothing more is sent until then. Afterwards the transport starts afresh.
  virtual void Recall(const std::string& reason) = 0;
  // `callback` is called on the loop when reports have arrived, or when there is room or a
  // connection again. An empty one ends the calls.
  virtual void OnActivity(std::function<void()> callback) = 0;
  // Returns whether a broker answers. For people, and for how much is sent ahead; never a reason to
  // hold a message back entirely, because the transport connects when it has something to send.
  virtual bool Connected() const = 0;
  // Returns the bytes carried by the link since the transport was made, in both directions:
  // compressed, with repeats and the protocol's own requests. It never falls.
  virtual uint64_t LinkBytes() const = 0;
};

}  // namespace tidegate
