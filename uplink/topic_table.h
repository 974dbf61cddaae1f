// Counts the records in flight of each topic, and says whether the topic has to wait. Order is kept
// within a topic, so that one that refuses everything does not hold up the others. One thread.
//
// Invariants, each with the check that guards it:
//   - a topic's count never falls below zero: Acked(), CameBack()
//   - every index was returned by IndexOf() since the last Clear(): Of()
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

  // Returns the topic's index, a new one for a new topic.
  TopicIndex IndexOf(const std::string& topic);
  const std::string& NameOf(TopicIndex topic) const { return Of(topic).name; }

  // A record of the topic was sent.
  void Sent(TopicIndex topic) { ++Of(topic).in_flight; }
  // A record of the topic was acknowledged: its next wait is short again. REQUIRES: in flight.
  void Acked(TopicIndex topic);
  // A record of the topic came back, for whatever reason. The topic is closed until all of its
  // records in flight are reported on, so that no later record overtakes this one. REQUIRES: in
  // flight.
  void CameBack(TopicIndex topic);
  // Closes the topic for the next time of its backoff. A call during that time changes nothing: the
  // record was sent before it.
  void WaitFrom(TopicIndex topic, BootTime now);

  // Returns whether a record of the topic may be sent now.
  bool Open(TopicIndex topic, BootTime now) const;
  // Returns the earliest end of a wait that is not over; nullopt: no topic waits for a time.
  std::optional<BootTime> NextOpening(BootTime now) const;
  // Forgets all topics. REQUIRES: no index is used any more, nor is a report counted.
  void Clear();
  size_t size() const { return topics_.size(); }

 private:
  struct Topic {
    std::string name;
    Backoff backoff;
    uint64_t in_flight = 0;
    // A record came back; true until in_flight is 0.
    bool rewinding = false;
    BootTime open_from{0};
  };

  Topic& Of(TopicIndex topic);
  const Topic& Of(TopicIndex topic) const;

  Backoff::Options backoff_;
  uint64_t seed_;
  std::vector<Topic> topics_;
  std::unordered_map<std::string, TopicIndex> indexes_;
};

}  // namespace tidegate
