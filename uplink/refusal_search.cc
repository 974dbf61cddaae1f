#include "uplink/refusal_search.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/check.h"

namespace tidegate {

namespace {
using State = TrackedRecord::State;

// A record stands out if it is so many times larger than the average of the others.
constexpr uint64_t kStandsOut = 8;

struct Place {
  TrackedBatch& batch;
  size_t index;
  TrackedRecord& record() const { return batch.records[index]; }
};

// REQUIRES: the record is tracked, as each member of a group is: a batch leaves its lane only at
// the end of the forwarder's step.
Place PlaceOf(ClassQueue& queue, Seq seq) {
  TrackedBatch* batch = queue.lane().BatchOf(seq);
  CHECK(batch != nullptr, "a member of a group is tracked");
  return {*batch, static_cast<size_t>(seq - batch->first_seq)};
}
}  // namespace

void RefusalSearch::OnRefused(const std::string& reason) {
  new_suspects_ = true;
  last_reason_ = reason;
}

void RefusalSearch::Clear() {
  groups_.clear();
  new_suspects_ = false;
}

void RefusalSearch::Step(BootTime now) {
  CHECK(active(), "there is something to search for");
  if (in_flight_.records() > 0) return;
  if (groups_.empty()) {
    for (ClassQueue& queue : queues_) Collect(queue);
    sent_of_group_ = 0;
  }
  new_suspects_ = false;
  while (!groups_.empty()) {
    const Group& group = groups_.front();
    if (!topics_.Open(group.topic, now)) return;
    const std::vector<Member> members = MembersOf(group);
    const bool suspect = std::ranges::any_of(members, &Member::suspect);
    if (members.empty()) {
      FinishGroup();
    } else if (suspect && sent_of_group_ == 1) {
      OnRefusedAlone(members);
      if (!store_.available(now)) return;
    } else if (members.size() > 1 && (group.refused || (suspect && sent_of_group_ > 1))) {
      Split(members);
    } else if (SendGroup(members, now)) {
      return;
    }
  }
}

void RefusalSearch::Collect(ClassQueue& queue) {
  std::map<TopicIndex, Seq> last_suspect;
  const auto& batches = queue.lane().batches();
  for (const TrackedBatch& batch : batches) {
    for (size_t i = 0; i < batch.records.size(); ++i) {
      const TrackedRecord& record = batch.records[i];
      if (!record.suspect) continue;
      CHECK(record.state != State::kSent, "a suspect is not in flight");
      last_suspect[record.topic] = batch.first_seq + i;
    }
  }
  for (const auto& [topic, last] : last_suspect) {
    groups_.push_back({&queue, topic, batches.front().first_seq, last, true});
  }
}

std::vector<RefusalSearch::Member> RefusalSearch::MembersOf(const Group& group) {
  std::vector<Member> members;
  for (const TrackedBatch& batch : group.queue->lane().batches()) {
    if (batch.last_seq() < group.first || batch.first_seq > group.last || batch.unsent == 0)
      continue;
    for (size_t i = 0; i < batch.records.size(); ++i) {
      const TrackedRecord& record = batch.records[i];
      const Seq seq = batch.first_seq + i;
      if (seq < group.first || seq > group.last || record.topic != group.topic) continue;
      if (record.state != State::kUnsent) continue;
      members.push_back({seq, record.bytes, record.suspect});
    }
  }
  return members;
}

void RefusalSearch::FinishGroup() {
  groups_.pop_front();
  sent_of_group_ = 0;
}

// A record that is far larger than the others is probably the refused one, and gets a group of its
// own; otherwise the group is halved.
void RefusalSearch::Split(const std::vector<Member>& members) {
  CHECK(!groups_.empty() && members.size() > 1, "a group of several is split");
  const Group whole = groups_.front();
  FinishGroup();
  const auto push = [&](size_t first, size_t last) {
    CHECK(whole.first <= members[first].seq && members[last].seq <= whole.last && first <= last,
          "a part lies in its group");
    groups_.push_front({whole.queue, whole.topic, members[first].seq, members[last].seq, false});
  };
  const size_t end = members.size() - 1;
  const auto largest = std::ranges::max_element(members, {}, &Member::bytes);
  const uint64_t all = std::accumulate(members.begin(), members.end(), uint64_t{0},
                                       [](uint64_t sum, const Member& m) { return sum + m.bytes; });
  const uint64_t average_of_others = (all - largest->bytes) / end;
  if (largest->bytes <= kStandsOut * average_of_others) {
    push(end / 2 + 1, end);
    push(0, end / 2);
    return;
  }
  const auto at = static_cast<size_t>(largest - members.begin());
  if (at < end) push(at + 1, end);
  push(at, at);
  if (at > 0) push(0, at - 1);
}

bool RefusalSearch::SendGroup(const std::vector<Member>& members, BootTime now) {
  CHECK(in_flight_.none(), "a group is sent with nothing else in flight");
  ClassQueue& queue = *groups_.front().queue;
  sent_of_group_ = 0;
  groups_.front().refused = false;
  for (const Member& member : members) {
    const Place place = PlaceOf(queue, member.seq);
    TrackedRecord& record = place.record();
    if (record.state != State::kUnsent) continue;  // The store dropped its batch just now.
    const Batch* batch = queue.Load(place.batch, store_);
    if (batch == nullptr) {
      if (!store_.available(now)) return true;
      continue;
    }
    record.suspect = false;
    switch (sender_.Send(queue, place.batch, *batch, place.index, now)) {
      case RecordSender::WriteOutcome::kSent:
        ++sent_of_group_;
        break;
      case RecordSender::WriteOutcome::kHeld:
        if (record.state == State::kUnsent) return true;  // Its topic waits.
        break;
      case RecordSender::WriteOutcome::kFull:
        return true;
    }
  }
  return in_flight_.records() > 0;
}

// The broker may have refused the record's time, which can be the vehicle's mistake. That is no
// reason to lose the record, whose value holds the time as well: the last attempt is without the
// message's timestamp.
void RefusalSearch::OnRefusedAlone(const std::vector<Member>& members) {
  const auto suspect = std::ranges::find(members, true, &Member::suspect);
  CHECK(suspect != members.end(), "one member is the suspect");
  ClassQueue& queue = *groups_.front().queue;
  const Place place = PlaceOf(queue, suspect->seq);
  TrackedRecord& record = place.record();
  if (record.timed && !record.without_timestamp) {
    record.without_timestamp = true;
    record.suspect = false;
    sent_of_group_ = 0;
    return;
  }
  if (const Batch* batch = queue.Load(place.batch, store_)) {
    sender_.SetAside(queue, place.batch, *batch, place.index, last_reason_);
  }
}

}  // namespace tidegate
