// What the forwarder knows of each topic: how much is on its way, and whether it has to wait. Order
// is kept for each topic by itself, so that one that refuses everything does not hold up the
// others. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/backoff.h"
#include "core/clock.h"

namespace tidegate {

using TopicIndex = uint32_t;

class TopicTable {
 public:
  TopicTable(Backoff::Options backoff, uint64_t seed) : backoff_(backoff), seed_(seed) {}

  TopicIndex IndexOf(const std::string& topic);
  const std::string& NameOf(TopicIndex topic) const { return topics_[topic].name; }

  void Sent(TopicIndex topic) { ++topics_[topic].in_flight; }
  void Acked(TopicIndex topic);
  // Came back, for whatever reason: nothing of the topic is sent until all of it that is on its way
  // has come back too, since what follows must not overtake. REQUIRES: in flight.
  void CameBack(TopicIndex topic);
  // Nothing of the topic before its next backoff has passed. What comes back during the wait, which
  // was sent before it, does not make it longer.
  void WaitFrom(TopicIndex topic, BootTime now);

  // Whether a record of the topic may be sent now.
  bool Open(TopicIndex topic, BootTime now) const;
  // The earliest end of a wait that is not over; nullopt if no topic waits for time.
  std::optional<BootTime> NextOpening(BootTime now) const;
  // Forgets all topics. REQUIRES: nothing in flight, no index in use.
  void Clear();
  size_t size() const { return topics_.size(); }

 private:
  struct Topic {
    std::string name;
    Backoff backoff;
    uint64_t in_flight = 0;
    bool rewinding = false;  // Until in_flight is 0.
    BootTime open_from{0};
  };

  Backoff::Options backoff_;
  uint64_t seed_;
  std::vector<Topic> topics_;
  std::unordered_map<std::string, TopicIndex> indexes_;
};

}  // namespace tidegate
