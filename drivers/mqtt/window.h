// Learns how many messages a broker sends ahead of our acknowledgements, so that a batch can be
// committed the moment the broker waits for us and not before. Pure: driven by events that carry
// their time. One thread.
//
// The evidence is an episode, from one acknowledgement to the next, that looks like this:
//
//   acknowledged | k messages at once, then silence | acknowledged | k messages at once, ...
//
// After three of those in a row with the same k, k is the learned window. More than k messages,
// three slow answers in a row, or a probe (an episode that runs its full length) that looks
// different make the window forgotten.
//
// Invariants, checked in window.cc: a learned window is at least 1 and below the ceiling (Learn());
// only a learned window is probed (Acknowledged()).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "core/clock.h"

namespace tidegate {

class Window {
 public:
  // `ceiling`: the most that the broker may send ahead (our Receive Maximum, or what the driver
  // holds at most). It counts as the window until a smaller one is learned.
  explicit Window(size_t ceiling) : ceiling_(ceiling) {}

  // A new connection, with nothing unacknowledged on it. Keeps what was learned, because brokers
  // keep their settings.
  void Connected();
  // `messages` of QoS 1 have arrived.
  void Arrived(size_t messages, BootTime now);
  // Everything that has arrived is acknowledged now.
  void Acknowledged(BootTime now);

  // True if the broker is believed to send no more until Acknowledged().
  bool Reached() const { return count_ > 0 && count_ >= size() && !probing_; }
  // What has arrived on this connection since it was last acknowledged.
  size_t unacknowledged() const { return count_; }
  size_t size() const { return learned_.value_or(ceiling_); }
  bool learned() const { return learned_.has_value(); }

 private:
  using Duration = std::chrono::nanoseconds;

  bool LooksBlocked(BootTime now) const;
  void JudgeSearch(BootTime now);
  void JudgeProbe(BootTime now);
  void JudgeAnswer();
  void Learn(BootTime now);
  void Forget();

  const size_t ceiling_;
  std::optional<size_t> learned_;
  // The slowest answer to an acknowledgement in the evidence for learned_.
  Duration answer_{0};
  // Slower answers than that in a row.
  int slow_answers_ = 0;

  // The k that the last `seen_` episodes had in common.
  size_t candidate_ = 0;
  int seen_ = 0;

  // The current episode is a probe.
  bool probing_ = false;
  BootTime next_probe_{0};
  Duration probe_interval_{0};

  // The current episode: when the acknowledgement before it was sent (nullopt on a new connection),
  // how many messages it has brought, and when the first and the last of them arrived.
  std::optional<BootTime> began_;
  size_t count_ = 0;
  BootTime first_{0};
  BootTime last_{0};
};

}  // namespace tidegate
