// Keeps, for each partition, the time at which its oldest message was written that has not landed.
// That message's age is the consumer's lag in time. One thread.
//
// Known inexactness: nobody has seen the times of messages that are still in Kafka. The oldest of
// them was written after the newest message that has landed, and after the last moment at which the
// partition held no more; the later of the two is reported.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/clock.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

class WaitingSince {
 public:
  // Notes that a message was polled which was written to Kafka at that time; those of a partition
  // come in the order of their delivery. Returns true if Of() has changed.
  bool OnMessage(const Partition& partition, WallTime written);
  // Notes that every polled message has landed. Returns the partitions that had any.
  std::vector<Partition> OnAllLanded();
  // Notes how many messages of a partition have not landed, as the library reports it.
  void OnLag(const Partition& partition, int64_t messages, WallTime now);
  void Forget(std::span<const Partition> partitions);

  // Returns when the oldest waiting message was written; no value if none is known to wait.
  std::optional<WallTime> Of(const Partition& partition) const;

 private:
  struct State {
    // Of the messages that are polled and have not landed.
    std::optional<WallTime> oldest_pending = {};
    WallTime newest_pending{};
    // What is still in Kafka was written after this.
    std::optional<WallTime> not_before = {};
    bool more_in_kafka = false;
  };
  std::map<Partition, State> states_;
};

}  // namespace tidegate::reader
