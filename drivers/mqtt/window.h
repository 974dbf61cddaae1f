// Learns how many messages a broker sends ahead of our acknowledgements, so that a batch can be
// committed the moment the broker waits for us and not before. Pure: driven by events that carry
// their time. One thread.
//
// The evidence is an episode, from one acknowledgement to the next, that looks like this:
//
//   acknowledged    k messages at once, then silence            acknowledged    k messages at once
//   ...
//
// Three of those in a row with the same k, and k is the window. It is doubted all the time: more
// than k messages, three slow answers in a row, or a probe (an episode that is left to run its
// full length) that does not look the same, and it is forgotten.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "core/clock.h"

namespace tidegate {

class Window {
 public:
  // `ceiling`: what the broker may send at most (our Receive Maximum, or what the driver holds at
  // most). It counts as the window until a smaller one is learned.
  explicit Window(size_t ceiling) : ceiling_(ceiling) {}

  // A new connection: nothing is unacknowledged on it. What was learned stays, brokers keep their
  // settings.
  void Connected();
  void Arrived(size_t messages, BootTime now);
  // Everything that has arrived is acknowledged now.
  void Acknowledged(BootTime now);

  // True if the broker is believed to send no more until Acknowledged().
  bool Reached() const { return count_ > 0 && count_ >= size() && !probing_; }
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

  size_t ceiling_;
  std::optional<size_t> learned_;
  Duration answer_{
      0};  // How long the broker took at worst to send on, in the evidence for learned_.
  int slow_answers_ = 0;

  size_t candidate_ = 0;
  int seen_ = 0;

  bool probing_ = false;
  BootTime next_probe_{0};
  Duration probe_interval_{0};

  // The current episode.
  std::optional<BootTime> began_;  // nullopt on a new connection: no acknowledgement to answer to.
  size_t count_ = 0;
  BootTime first_{0};
  BootTime last_{0};
};

}  // namespace tidegate
