// Carries encoded records to the server side: Kafka in production, a scripted fake in tests. Loop
// thread only; no call waits.
#pragma once

#include <cstddef>
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
  // It was not delivered, as far as is known, and its topic or the link is the reason: send the
  // same
  // bytes again later.
  kRetry,
  // It was not delivered, as far as is known, because of something else (its producer was replaced
  // or recalled): send the same bytes again at once.
  kReturned,
  // It was refused as it is: too large, or invalid. A broker refuses a whole request for one record
  // in it, so this is proven only for a record that was in flight alone.
  kRejected,
};

// Why a message was refused (kRejected), as far as that matters.
enum class Refusal : uint8_t {
  kOther,
  // Its timestamp: without one it may be accepted.
  kTimestamp,
  // Its size, or that of its request.
  kSize,
};

// The largest group that kTrial sends in one request a partition.
inline constexpr size_t kMaxTrialRecords = 500;

// Both routes lead to the same topics.
enum class Route : uint8_t {
  // Many messages of a topic are in flight, in order. A refused message returns all that are in
  // flight on this route, of all topics, so that none overtakes it.
  kMain,
  // A refused message costs no other one anything, and is not waited for: of each topic, send the
  // next group when the previous one is reported on. The first message may take longer, because the
  // route is opened for it.
  kTrial,
};

class Transport {
 public:
  struct Report {
    Seq seq;
    Delivery delivery;
    // For people; empty for kAcked.
    std::string reason;
    Refusal refusal = Refusal::kOther;
  };

  virtual ~Transport() = default;
  // Queues one message and returns at once; copies its bytes. `seq` names it in its report.
  // kFull: the route has no room before the next activity. kUnavailable: the topic accepts nothing
  // for now, try later. kRejected: it can never be sent.
  virtual Status Send(Seq seq, const WireMessage& message, Route route) = 0;
  // Passes on the reports that have arrived: exactly one for each accepted Send, whatever the
  // library or the server does.
  virtual void Drain(const std::function<void(const Report&)>& on_report) = 0;
  // Takes back the accepted messages: each gets its report soon, kReturned if it is not known to
  // have arrived, and nothing more is sent until then. Afterwards the transport starts afresh.
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
