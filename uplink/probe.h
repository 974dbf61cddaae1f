// Finds the records that a broker refuses among good ones. A broker refuses a whole request for one
// record in it; so the records of refused requests are sent again in smaller and smaller groups,
// each with nothing else on the way, in their order, until the refused one is alone. Pure
// bookkeeping over a Lane. One thread.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "uplink/lane.h"

namespace tidegate {

class Probe {
 public:
  // The unsent records of one topic between two seqs, both included.
  struct Group {
    RecordClass record_class;
    TopicIndex topic;
    Seq first;
    Seq last;
    bool refused;  // Together with others, when it was sent last.
  };
  struct Member {
    Seq seq;
    uint32_t bytes;
    bool suspect;
  };

  // Makes groups of the suspects in the lane: for each topic all that is unsent up to its last
  // suspect. REQUIRES: not active.
  void Collect(RecordClass record_class, const Lane& lane);
  bool active() const { return !groups_.empty(); }
  // REQUIRES: active.
  Group& current() { return groups_.front(); }
  static std::vector<Member> Members(const Group& group, const Lane& lane);

  // The current group is through (delivered, or given up): on to the next.
  void Finish() { groups_.pop_front(); }
  // Some of `members`, more than one, were refused again: smaller groups take the place of the
  // current one. A record that is far larger than the others is the likely one and gets a group of
  // its own; otherwise halves.
  void Split(const std::vector<Member>& members);
  void Clear() { groups_.clear(); }

 private:
  std::deque<Group> groups_;
};

}  // namespace tidegate
