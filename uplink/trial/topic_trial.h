// The trial of one topic whose broker has refused a request. A broker refuses a request whole for
// one record in it, so the trial sends the topic's records in groups on Route::kTrial, one group in
// flight at a time, and makes a refused group smaller until the refused record is alone; that one
// is set aside. Nothing waits between these steps, and other topics go on meanwhile.
//
// Sources that have sent a refused record, and records as large as one that was refused for its
// size, get groups of their own from then on, so that one source costs the others no search.
//
// Invariants, each with the check that guards it:
//   - a group is sent with nothing else of the topic in flight: SendGroup()
//   - a member of a group is set aside only if it was refused alone: OnRefusedAlone()
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "uplink/class_queue.h"
#include "uplink/in_flight.h"
#include "uplink/record_sender.h"
#include "uplink/store_access.h"
#include "uplink/topic_table.h"

namespace tidegate {

class TopicTrial {
 public:
  // All of them outlive the trial.
  struct Parts {
    std::list<ClassQueue>& queues;
    TopicTable& topics;
    StoreAccess& store;
    InFlight& in_flight;
    RecordSender& sender;
    // The batch that was read last, shared because a decoded batch is large.
    std::optional<Batch>& spare;
  };

  TopicTrial(TopicIndex topic, const Parts& parts) : topic_(topic), parts_(parts) {}

  // A record of the topic was refused, `reason` says why. REQUIRES: it is marked as suspect, or to
  // be sent without its timestamp.
  void OnRefused(const std::string& reason, Refusal refusal, BootTime now);
  // The queue is going to be removed. REQUIRES: none of its records is unsent or in flight.
  void Forget(const ClassQueue& queue);
  // Does what can be done now. Returns true if it has sent a record.
  bool Step(BootTime now);
  // Returns true if it looks for a record among those of a refused group.
  bool searching() const { return searching_; }
  // Returns true if nothing was refused for a while, and nothing is in flight.
  bool Over(BootTime now) const;

 private:
  struct Group {
    ClassQueue* queue;
    std::vector<Seq> seqs;
    // The records were refused when they were last sent, but together with others.
    bool refused = false;
    // The hash of the only asset, which has sent a refused record.
    std::optional<uint32_t> offender;
  };
  // A source that has sent a refused record.
  struct Offender {
    BootTime until;
    // How many of its records are sent in one group: doubled when a group is accepted.
    size_t group = 1;
  };
  struct Member {
    Seq seq;
    uint32_t bytes;
    bool suspect;
  };
  using BySource = std::map<uint32_t, std::vector<Seq>>;

  // Makes the next groups. Returns false if there is nothing to send.
  bool Collect(BootTime now);
  void CollectFrom(ClassQueue& queue, BootTime now);
  // Makes one group of all that is unsent up to the last suspect; false: there is no suspect.
  bool CollectSuspects(ClassQueue& queue);
  void PushOffenders(ClassQueue& queue, BySource& apart);
  bool IsApart(const TrackedRecord& record) const;
  void ForgetOffenders(BootTime now);

  std::vector<Member> MembersOf(const Group& group) const;
  void FinishGroup();
  // Replaces the current group by smaller ones. REQUIRES: it has several members.
  void Split(const std::vector<Member>& members);
  enum class Progress { kSent, kNothingSent, kBlocked };
  // Sends the current group. kNothingSent: it has to be examined again at once.
  Progress SendGroup(const std::vector<Member>& members, BootTime now);
  // The suspect among the members was the only record in flight. Returns false if the store cannot
  // be used now.
  bool OnRefusedAlone(const std::vector<Member>& members, BootTime now);

  const TopicIndex topic_;
  const Parts parts_;
  BootTime until_{0};
  std::string last_reason_;
  Refusal last_refusal_ = Refusal::kOther;
  bool searching_ = false;
  // The first one is the current one.
  std::deque<Group> groups_;
  // Records of the current group that were sent since it became the current one or was last sent.
  size_t sent_of_group_ = 0;
  std::map<uint32_t, Offender> offenders_;
  // The source whose group was made last.
  uint32_t last_offender_ = 0;
  // Records of this size were refused for it; 0: none was.
  uint32_t refused_bytes_ = 0;
};

}  // namespace tidegate
