// Where tidegate-sim puts its heartbeats: a broker, an HTTP server, standard output. One thread;
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
  uint64_t refused = 0;  // For good: they will not be acknowledged.
};

class Publisher {
 public:
  virtual ~Publisher() = default;
  // True if Publish() may be called now.
  virtual bool HasRoom() const = 0;
  // Copies the heartbeat. It is sent, and sent again, until it is acknowledged or refused.
  // REQUIRES: HasRoom().
  virtual void Publish(const Heartbeat& heartbeat) = 0;
  // No more follows: sends also what waits to be sent together with more.
  virtual void Flush() {}
  // Does what the network has ready, and waits at most this long if that is nothing. Connects and
  // reconnects. An error is one that trying again does not mend.
  virtual Status Step(std::chrono::milliseconds wait) = 0;
  virtual PublisherCounts counts() const = 0;
  // For people: "connected", or the last error.
  virtual std::string state() const = 0;
};

}  // namespace tidegate
