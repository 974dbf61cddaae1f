// Finds the records that a broker refuses among good ones. A broker refuses a whole request for one
// record in it. So the records of refused requests are sent again in smaller and smaller groups, in
// their order, each group with nothing else in flight, until the refused record is alone; then it
// is set aside. While the search is active the forwarder sends nothing else. Loop thread only.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "uplink/class_queue.h"
#include "uplink/in_flight.h"
#include "uplink/record_sender.h"
#include "uplink/store_access.h"
#include "uplink/topic_table.h"

namespace tidegate {

class RefusalSearch {
 public:
  // All references outlive the search.
  RefusalSearch(std::span<ClassQueue> queues, const TopicTable& topics, StoreAccess& store,
                const InFlight& in_flight, RecordSender& sender)
      : queues_(queues), topics_(topics), store_(store), in_flight_(in_flight), sender_(sender) {}

  bool active() const { return new_suspects_ || !groups_.empty(); }
  // A record came back as refused, `reason` says why. REQUIRES: it is marked as suspect.
  void OnRefused(const std::string& reason);
  // Does what can be done now: waits until nothing is in flight, then sends one group. REQUIRES:
  // active.
  void Step(BootTime now);
  // The epoch of the suspects has ended.
  void Clear();

 private:
  // The unsent records of one topic between two seqs, both included.
  struct Group {
    ClassQueue* queue;
    TopicIndex topic;
    Seq first;
    Seq last;
    // The records were refused when they were last sent, but together with others.
    bool refused;
  };
  struct Member {
    Seq seq;
    uint32_t bytes;
    bool suspect;
  };

  // Makes a group of each topic with suspects in the queue: all that is unsent up to the last one.
  void Collect(ClassQueue& queue);
  static std::vector<Member> MembersOf(const Group& group);
  void FinishGroup();
  // Replaces the current group by smaller ones. REQUIRES: it has several members.
  void Split(const std::vector<Member>& members);
  // Sends the current group. Returns false if nothing of it is in flight or waits for anything, so
  // that the group has to be examined again at once.
  bool SendGroup(const std::vector<Member>& members, BootTime now);
  // The suspect among the members was the only record in flight.
  void OnRefusedAlone(const std::vector<Member>& members);

  const std::span<ClassQueue> queues_;
  const TopicTable& topics_;
  StoreAccess& store_;
  const InFlight& in_flight_;
  RecordSender& sender_;
  // Records are marked as suspect and not yet in a group.
  bool new_suspects_ = false;
  std::string last_reason_;
  // The first one is the current one.
  std::deque<Group> groups_;
  // Records of the current group that were sent since it became the current one or was last sent.
  size_t sent_of_group_ = 0;
};

}  // namespace tidegate
