// Where tidegate-sim sends its heartbeats: a broker, an HTTP server, standard output. One thread;
// only Step() waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/result.h"
#include "drivers/sim/fleet.h"

namespace tidegate {

struct PublisherCounts {
  uint64_t acknowledged = 0;
  // Refused for good: they will never be acknowledged.
  uint64_t refused = 0;
};

class Publisher {
 public:
  virtual ~Publisher() = default;
  // True if Publish() may be called now.
  virtual bool HasRoom() const = 0;
  // Copies the heartbeat, and sends it until it is acknowledged or refused.
  // REQUIRES: HasRoom().
  virtual void Publish(const Heartbeat& heartbeat) = 0;
  // No more heartbeats follow: sends those that were waiting to be sent together with more.
  virtual void Flush() {}
  // Serves the network, and waits at most this long if nothing is ready. Connects and reconnects.
  // Any error is final: trying again does not help.
  virtual Status Step(std::chrono::milliseconds wait) = 0;
  virtual PublisherCounts counts() const = 0;
  // For people: "connected", or the last error.
  virtual std::string state() const = 0;
};

}  // namespace tidegate
