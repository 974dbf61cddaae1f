// Counts the records in flight of each topic, and says whether the topic has to wait. Order is kept
// within a topic, so that one that refuses everything does not hold up the others, and no topic has
// more in flight than four times what is left for the others. One thread.
//
// Invariants, each with the check that guards it:
//   - no count falls below zero: Returned()
//   - every index was returned by IndexOf() since the last Clear(): Of()
#pragma once

#include <cstddef>
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
  struct Limits {
    // All topics together, as InFlight bounds them.
    size_t max_records = SIZE_MAX;
    size_t max_bytes = SIZE_MAX;
  };

  TopicTable(Backoff::Options backoff, uint64_t seed, Limits limits)
      : backoff_(backoff), seed_(seed), limits_(limits) {}

  // Returns the topic's index, a new one for a new topic.
  TopicIndex IndexOf(const std::string& topic);
  const std::string& NameOf(TopicIndex topic) const { return Of(topic).name; }

  // A record of the topic was sent.
  void Sent(TopicIndex topic, size_t bytes, BootTime now);
  // A record of the topic was acknowledged: its next wait is short again. REQUIRES: in flight.
  void Acked(TopicIndex topic, size_t bytes, BootTime now);
  // A record of the topic came back, for whatever reason. The topic is closed until all of its
  // records in flight are reported on, so that no later record overtakes this one. REQUIRES: in
  // flight.
  void CameBack(TopicIndex topic, size_t bytes);
  // Closes the topic for the next time of its backoff; after that, few records are sent until one
  // is acknowledged, and of all such topics together no more than a quarter of what may be in
  // flight. A call during that time changes nothing: the record was sent before it.
  void WaitFrom(TopicIndex topic, BootTime now);
  // While a topic is on trial (trial/trials.h), Open() is false.
  void SetTrial(TopicIndex topic, bool on_trial) { Of(topic).on_trial = on_trial; }

  // While a topic leaves its queue, it is closed (queue_set.h).
  void SetLeaving(TopicIndex topic, bool leaving) { Of(topic).leaving = leaving; }

  // Returns whether a record of the topic may be sent now.
  bool Open(TopicIndex topic, BootTime now) const;
  // As Open(), whether or not the topic is on trial.
  bool Ready(TopicIndex topic, BootTime now) const;
  // Returns whether the topic has used up its share of what may be in flight, and is acknowledging.
  bool Busy(TopicIndex topic, BootTime now) const;
  // Returns whether the topic waits because a record came back, and none was acknowledged since.
  bool Stuck(TopicIndex topic) const { return Of(topic).stuck; }
  uint64_t InFlight(TopicIndex topic) const { return Of(topic).records; }
  // What topics have in flight that have acknowledged nothing for a tenth of a second: nobody knows
  // for how long the library keeps it.
  struct Held {
    size_t records = 0;
    size_t bytes = 0;
  };
  Held HeldNow(BootTime now) const;
  // Closes the topics whose records have been in flight for a minute without an acknowledgement,
  // and stand in the way. Returns true if there is one: its records are to be recalled.
  bool CloseOverdue(BootTime now);
  // When that has something to do, if nothing is acknowledged before; nullopt: never.
  std::optional<BootTime> NextOverdue() const;
  // Returns the earliest end of a wait that is not over; nullopt: no topic waits for a time. With
  // `held`, also when the next topic will be one of those of HeldNow().
  std::optional<BootTime> NextOpening(BootTime now, bool held) const;
  // Forgets all topics. REQUIRES: no index is used any more, nor is a report counted.
  void Clear();
  size_t size() const { return topics_.size(); }

 private:
  struct Topic {
    std::string name;
    Backoff backoff;
    // In flight.
    uint64_t records = 0;
    uint64_t bytes = 0;
    // A record came back; true until nothing is in flight.
    bool rewinding = false;
    bool stuck = false;
    // Its share was used up; true until half of it is free, so that requests stay large.
    bool full = false;
    bool on_trial = false;
    bool leaving = false;
    BootTime open_from{0};
    // Since when what is in flight waits for an acknowledgement: since the last one, or since the
    // first of them was sent.
    BootTime waits_since{0};
  };

  Topic& Of(TopicIndex topic);
  const Topic& Of(TopicIndex topic) const;
  Topic& Returned(TopicIndex topic, size_t bytes);
  // Whether the topic has four times what is left for the others, or half of that.
  bool UsesShare(const Topic& topic) const;
  bool UsesHalfOfShare(const Topic& topic) const;
  uint64_t MaxStuckInAll() const;
  bool StandsInTheWay(const Topic& topic) const;

  Backoff::Options backoff_;
  uint64_t seed_;
  const Limits limits_;
  std::vector<Topic> topics_;
  std::unordered_map<std::string, TopicIndex> indexes_;
  // In flight, of all topics, and of those that are stuck.
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  uint64_t stuck_records_ = 0;
};

}  // namespace tidegate
