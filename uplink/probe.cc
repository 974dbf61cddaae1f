#include "uplink/probe.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/check.h"

namespace tidegate {

namespace {
// A record stands out if it is so many times larger than the average of the others.
constexpr uint64_t kStandsOut = 8;
}  // namespace

void Probe::Collect(RecordClass record_class, const Lane& lane) {
  std::map<TopicIndex, Seq> last_suspect;
  for (const TrackedBatch& batch : lane.batches()) {
    for (size_t i = 0; i < batch.records.size(); ++i) {
      const TrackedRecord& record = batch.records[i];
      if (record.suspect) last_suspect[record.topic] = batch.first_seq + i;
    }
  }
  for (const auto& [topic, last] : last_suspect) {
    groups_.push_back({record_class, topic, lane.batches().front().first_seq, last, true});
  }
}

std::vector<Probe::Member> Probe::Members(const Group& group, const Lane& lane) {
  std::vector<Member> members;
  for (const TrackedBatch& batch : lane.batches()) {
    if (batch.last_seq() < group.first || batch.first_seq > group.last || batch.unsent == 0)
      continue;
    for (size_t i = 0; i < batch.records.size(); ++i) {
      const TrackedRecord& record = batch.records[i];
      const Seq seq = batch.first_seq + i;
      if (seq < group.first || seq > group.last || record.topic != group.topic) continue;
      if (record.state != TrackedRecord::State::kUnsent) continue;
      members.push_back({seq, record.bytes, record.suspect});
    }
  }
  return members;
}

void Probe::Split(const std::vector<Member>& members) {
  CHECK(active() && members.size() > 1, "a group of several is split");
  const Group whole = groups_.front();
  groups_.pop_front();
  const auto group = [&](size_t first, size_t last) {
    return Group{whole.record_class, whole.topic, members[first].seq, members[last].seq, false};
  };
  const size_t end = members.size() - 1;
  const auto largest = std::ranges::max_element(members, {}, &Member::bytes);
  const uint64_t all = std::accumulate(members.begin(), members.end(), uint64_t{0},
                                       [](uint64_t sum, const Member& m) { return sum + m.bytes; });
  const uint64_t average_of_others = (all - largest->bytes) / end;
  if (largest->bytes <= kStandsOut * average_of_others) {
    groups_.push_front(group(end / 2 + 1, end));
    groups_.push_front(group(0, end / 2));
    return;
  }
  const auto at = static_cast<size_t>(largest - members.begin());
  if (at < end) groups_.push_front(group(at + 1, end));
  groups_.push_front(group(at, at));
  if (at > 0) groups_.push_front(group(0, at - 1));
}

}  // namespace tidegate
