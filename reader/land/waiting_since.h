// Since when the oldest message of each partition waits that has not landed: its age is the
// consumer's lag in time. One thread.
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
  // A message is in hand, written to Kafka at that time. REQUIRES: those of a partition come in
  // their order. True: Of() says something else now.
  bool Take(const Partition& partition, WallTime written);
  // Everything in hand has landed. Of which partitions something was.
  std::vector<Partition> Land();
  // How many messages of a partition have not landed, as the library knows it.
  void Hear(const Partition& partition, int64_t messages, WallTime now);
  void Forget(std::span<const Partition> partitions);

  // nullopt: nothing is known to wait. Of messages that are still in Kafka nobody has seen the time
  // yet: the oldest of them was written after the newest that has landed, and after nothing was
  // left there, and no earlier time than the later of the two is told.
  std::optional<WallTime> Of(const Partition& partition) const;

 private:
  struct State {
    std::optional<WallTime> oldest_in_hand = {};
    WallTime newest_in_hand{};
    std::optional<WallTime> not_before = {};  // When what is still in Kafka was written.
    bool more_in_kafka = false;
  };
  std::map<Partition, State> states_;
};

}  // namespace tidegate::reader
