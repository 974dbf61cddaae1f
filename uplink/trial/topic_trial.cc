#include "uplink/trial/topic_trial.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include "core/check.h"
#include "core/reached.h"

namespace tidegate {

namespace {
using State = TrackedRecord::State;

// A record stands out if it is so many times larger than the average of the others.
constexpr uint64_t kStandsOut = 8;
// How long after the last refusal the topic stays on trial, and a source is an offender.
constexpr std::chrono::minutes kTrialTime{10};
// More bytes would not fit into one request.
constexpr size_t kMaxGroupBytes = 256 * 1024;
constexpr size_t kMaxOffenders = 64;
constexpr size_t kMaxOffenderGroup = 64;
// Groups of offenders that are sent after each group of the others.
constexpr size_t kOffendersInTurn = 2;

struct Place {
  TrackedBatch& batch;
  size_t index;
  TrackedRecord& record() const { return batch.records[index]; }
};

// nullopt: the record is done, and its batch forgotten.
std::optional<Place> PlaceOf(ClassQueue& queue, Seq seq) {
  TrackedBatch* batch = queue.lane().BatchOf(seq);
  if (batch == nullptr) return std::nullopt;
  return Place{*batch, static_cast<size_t>(seq - batch->first_seq)};
}

// Calls `use` for each unsent record of the topic, in order, until it returns false.
template <typename Use>
void ForEachUnsent(ClassQueue& queue, TopicIndex topic, const Use& use) {
  if (queue.lane().unsent() == 0) return;
  auto& batches = queue.lane().batches();
  for (size_t b = queue.lane().FirstUnsent(); b < batches.size(); ++b) {
    if (batches[b].unsent == 0) continue;
    for (size_t i = 0; i < batches[b].records.size(); ++i) {
      const TrackedRecord& record = batches[b].records[i];
      if (record.topic != topic || record.state != State::kUnsent) continue;
      if (!use(batches[b].first_seq + i, record)) return;
    }
  }
}
}  // namespace

void TopicTrial::OnRefused(const std::string& reason, Refusal refusal, BootTime now) {
  last_reason_ = reason;
  last_refusal_ = refusal;
  until_ = now + kTrialTime;
}

void TopicTrial::Forget(const ClassQueue& queue) {
  if (groups_.empty()) return;
  if (groups_.front().queue == &queue) sent_of_group_ = 0;
  std::erase_if(groups_, [&](const Group& group) { return group.queue == &queue; });
}

bool TopicTrial::Over(BootTime now) const {
  return now >= until_ && groups_.empty() && parts_.topics.InFlight(topic_) == 0;
}

bool TopicTrial::Step(BootTime now) {
  if (!parts_.topics.Ready(topic_, now) || parts_.topics.InFlight(topic_) > 0) return false;
  while (!groups_.empty() || Collect(now)) {
    const std::vector<Member> members = MembersOf(groups_.front());
    const bool suspect = std::ranges::any_of(members, &Member::suspect);
    if (members.empty()) {
      FinishGroup();
    } else if (suspect && sent_of_group_ == 1) {
      if (!OnRefusedAlone(members, now)) return false;
    } else if (members.size() > 1 && (groups_.front().refused || (suspect && sent_of_group_ > 1) ||
                                      members.size() > kMaxTrialRecords)) {
      Split(members);
    } else {
      const Progress progress = SendGroup(members, now);
      if (progress != Progress::kNothingSent) return progress == Progress::kSent;
    }
  }
  return false;
}

bool TopicTrial::Collect(BootTime now) {
  CHECK(groups_.empty(), "groups are made when the previous ones are finished");
  sent_of_group_ = 0;
  searching_ = false;
  ForgetOffenders(now);
  for (ClassQueue& queue : parts_.queues) CollectFrom(queue, now);
  return !groups_.empty();
}

void TopicTrial::CollectFrom(ClassQueue& queue, BootTime now) {
  if (CollectSuspects(queue) || queue.Lingers(now)) return;
  Group others{&queue, {}, false, std::nullopt};
  BySource apart;
  size_t bytes = 0;
  ForEachUnsent(queue, topic_, [&](Seq seq, const TrackedRecord& record) {
    // What follows a record of its source does not overtake it.
    if (IsApart(record) || apart.contains(record.asset)) {
      apart[record.asset].push_back(seq);
      return true;
    }
    others.seqs.push_back(seq);
    bytes += record.bytes;
    return others.seqs.size() < kMaxTrialRecords && bytes < kMaxGroupBytes;
  });
  if (!others.seqs.empty()) groups_.push_back(std::move(others));
  PushOffenders(queue, apart);
}

bool TopicTrial::CollectSuspects(ClassQueue& queue) {
  Group group{&queue, {}, true, std::nullopt};
  size_t through_suspect = 0;
  ForEachUnsent(queue, topic_, [&](Seq seq, const TrackedRecord& record) {
    group.seqs.push_back(seq);
    if (record.suspect) through_suspect = group.seqs.size();
    return true;
  });
  if (through_suspect == 0) return false;
  searching_ = true;
  group.seqs.resize(through_suspect);
  groups_.push_back(std::move(group));
  return true;
}

// In turn, beginning with the source that follows the last one.
void TopicTrial::PushOffenders(ClassQueue& queue, BySource& apart) {
  const size_t count = std::min(apart.size(), kOffendersInTurn);
  auto next = apart.upper_bound(last_offender_);
  for (size_t i = 0; i < count; ++i, ++next) {
    if (next == apart.end()) next = apart.begin();
    const auto& [source, seqs] = *next;
    const auto offender = offenders_.find(source);
    const size_t size = offender != offenders_.end() ? offender->second.group : 1;
    last_offender_ = source;
    Group group{&queue, {}, false, source};
    group.seqs.assign(seqs.begin(), seqs.begin() + std::min(size, seqs.size()));
    groups_.push_back(std::move(group));
  }
}

bool TopicTrial::IsApart(const TrackedRecord& record) const {
  return offenders_.contains(record.asset) ||
         (refused_bytes_ > 0 && record.bytes >= refused_bytes_);
}

void TopicTrial::ForgetOffenders(BootTime now) {
  std::erase_if(offenders_, [&](const auto& entry) { return entry.second.until <= now; });
  while (offenders_.size() > kMaxOffenders) {
    offenders_.erase(std::ranges::min_element(
        offenders_, {}, [](const auto& entry) { return entry.second.until; }));
  }
}

std::vector<TopicTrial::Member> TopicTrial::MembersOf(const Group& group) const {
  std::vector<Member> members;
  for (const Seq seq : group.seqs) {
    const auto place = PlaceOf(*group.queue, seq);
    if (!place || place->record().state != State::kUnsent) continue;
    members.push_back({seq, place->record().bytes, place->record().suspect});
  }
  return members;
}

void TopicTrial::FinishGroup() {
  CHECK(!groups_.empty(), "a group is finished once");
  if (const auto source = groups_.front().offender) {
    const auto offender = offenders_.find(*source);
    if (offender != offenders_.end()) {
      offender->second.group = std::min(offender->second.group * 2, kMaxOffenderGroup);
    }
  }
  groups_.pop_front();
  sent_of_group_ = 0;
}

// A record that is far larger than the others is probably the refused one, and gets a group of its
// own; otherwise the group is halved.
void TopicTrial::Split(const std::vector<Member>& members) {
  CHECK(!groups_.empty() && members.size() > 1, "a group of several is split");
  searching_ = true;
  ClassQueue* const queue = groups_.front().queue;
  groups_.pop_front();
  sent_of_group_ = 0;
  const auto push = [&](size_t first, size_t end) {
    if (first == end) return;
    Group part{queue, {}, false, std::nullopt};
    for (size_t i = first; i < end; ++i) part.seqs.push_back(members[i].seq);
    groups_.push_front(std::move(part));
  };
  const size_t count = members.size();
  const auto largest = std::ranges::max_element(members, {}, &Member::bytes);
  const uint64_t all = std::accumulate(members.begin(), members.end(), uint64_t{0},
                                       [](uint64_t sum, const Member& m) { return sum + m.bytes; });
  const uint64_t average_of_others = (all - largest->bytes) / (count - 1);
  if (largest->bytes <= kStandsOut * average_of_others) {
    push(count - count / 2, count);
    push(0, count - count / 2);
    REACHED("trial: a group is halved");
    return;
  }
  const auto at = static_cast<size_t>(largest - members.begin());
  REACHED("trial: the largest record stands out");
  push(at + 1, count);
  push(at, at + 1);
  push(0, at);
}

TopicTrial::Progress TopicTrial::SendGroup(const std::vector<Member>& members, BootTime now) {
  CHECK(parts_.topics.InFlight(topic_) == 0, "nothing else of the topic is in flight");
  ClassQueue& queue = *groups_.front().queue;
  sent_of_group_ = 0;
  groups_.front().refused = false;
  bool blocked = false;
  for (const Member& member : members) {
    const auto place = PlaceOf(queue, member.seq);
    // The store may have dropped its batch just now.
    if (!place || place->record().state != State::kUnsent) continue;
    blocked = !parts_.in_flight.HasRoom(queue.urgent());
    if (blocked) break;
    const Batch* batch = queue.Read(place->batch, parts_.store, parts_.spare);
    blocked = batch == nullptr && !parts_.store.available(now);
    if (blocked) break;
    if (batch == nullptr) continue;
    place->record().suspect = false;
    const auto outcome =
        parts_.sender.Send(queue, place->batch, *batch, place->index, now, Route::kTrial);
    if (outcome == RecordSender::WriteOutcome::kSent) ++sent_of_group_;
    blocked =
        outcome == RecordSender::WriteOutcome::kFull ||
        (outcome == RecordSender::WriteOutcome::kHeld && place->record().state == State::kUnsent);
    if (blocked) break;
  }
  if (sent_of_group_ > 0) return Progress::kSent;
  return blocked ? Progress::kBlocked : Progress::kNothingSent;
}

// The broker may have refused the record's time, which can be the vehicle's mistake. That is no
// reason to lose the record, whose value holds the time as well: the last attempt is without the
// message's timestamp.
bool TopicTrial::OnRefusedAlone(const std::vector<Member>& members, BootTime now) {
  const auto suspect = std::ranges::find(members, true, &Member::suspect);
  CHECK(suspect != members.end() && sent_of_group_ == 1, "one member was refused alone");
  Group& group = groups_.front();
  const auto place = PlaceOf(*group.queue, suspect->seq);
  CHECK(place, "a member is tracked");
  TrackedRecord& record = place->record();
  if (record.timed && !record.without_timestamp && last_refusal_ != Refusal::kSize) {
    record.without_timestamp = true;
    REACHED("trial: the refused record goes without its timestamp");
    record.suspect = false;
    sent_of_group_ = 0;
    return true;
  }
  const Batch* batch = group.queue->Read(place->batch, parts_.store, parts_.spare);
  if (batch == nullptr) return parts_.store.available(now);  // Dropped: it is done.
  if (!parts_.sender.SetAside(*group.queue, place->batch, *batch, place->index, last_reason_)) {
    return false;
  }
  offenders_[record.asset] = {now + kTrialTime, 1};
  REACHED("trial: a source becomes an offender");
  if (last_refusal_ == Refusal::kSize) {
    refused_bytes_ = std::min(refused_bytes_ > 0 ? refused_bytes_ : UINT32_MAX, record.bytes);
  }
  group.offender.reset();
  return true;
}

}  // namespace tidegate
