// The part of the forwarder that finds the record a broker refuses; while it looks, nothing else is
// sent.
#include <algorithm>
#include <utility>

#include "uplink/forwarder.h"

namespace tidegate {

void Forwarder::StepProbe() {
  if (in_flight_ > 0) return;
  if (!probe_.active()) {
    for (RecordClass record_class : kRecordClasses) {
      probe_.Collect(record_class, lanes_[static_cast<size_t>(record_class)]);
    }
    probe_sent_ = 0;
  }
  suspects_ = false;
  while (probe_.active()) {
    Probe::Group& group = probe_.current();
    if (!topics_.Open(group.topic, now_)) return;
    const auto members = Probe::Members(group, lanes_[static_cast<size_t>(group.record_class)]);
    const bool suspect = std::ranges::any_of(members, &Probe::Member::suspect);
    if (members.empty()) {
      probe_.Finish();
      probe_sent_ = 0;
    } else if (suspect && probe_sent_ == 1) {
      RefusedAlone(members);
      if (now_ < store_retry_at_) return;
    } else if (members.size() > 1 && (group.refused || (suspect && probe_sent_ > 1))) {
      probe_.Split(members);
      probe_sent_ = 0;
    } else if (SendGroup(members)) {
      return;
    }
  }
}

// True: wait for reports, for room, or for time. False: look at the group again.
bool Forwarder::SendGroup(const std::vector<Probe::Member>& members) {
  const auto record_class = static_cast<size_t>(probe_.current().record_class);
  Lane& lane = lanes_[record_class];
  probe_sent_ = 0;
  probe_.current().refused = false;
  for (const Probe::Member& member : members) {
    TrackedBatch& tracked = *lane.BatchOf(member.seq);
    TrackedRecord& record = tracked.records[member.seq - tracked.first_seq];
    if (record.state != TrackedRecord::State::kUnsent) continue;  // Given up just now.
    const Batch* batch = Load(record_class, tracked);
    if (batch == nullptr) {
      if (now_ < store_retry_at_) return true;
      continue;
    }
    record.suspect = false;
    if (SendRecord(record_class, tracked, *batch, member.seq - tracked.first_seq) ==
        Sending::kFull) {
      return true;
    }
    if (record.state == TrackedRecord::State::kUnsent) return true;  // Its topic has been closed.
    if (record.state == TrackedRecord::State::kSent) ++probe_sent_;
  }
  return in_flight_ > 0;
}

// A time that a broker does not accept (it may be the vehicle's mistake) is no reason to lose the
// record, whose value holds it too: the last try is without the message's timestamp.
void Forwarder::RefusedAlone(const std::vector<Probe::Member>& members) {
  const Seq seq = std::ranges::find(members, true, &Probe::Member::suspect)->seq;
  const auto record_class = static_cast<size_t>(probe_.current().record_class);
  Lane& lane = lanes_[record_class];
  TrackedBatch& tracked = *lane.BatchOf(seq);
  TrackedRecord& record = tracked.records[seq - tracked.first_seq];
  if (record.timed && !record.without_timestamp) {
    record.without_timestamp = true;
    record.suspect = false;
    probe_sent_ = 0;
    return;
  }
  const Batch* batch = Load(record_class, tracked);
  if (batch == nullptr) return;
  if (WriteDeadLetter(batch->records[seq - tracked.first_seq], topics_.NameOf(record.topic),
                      last_refusal_)) {
    lane.MarkDone(tracked, record);
  }
}

}  // namespace tidegate
