#include "reader/serve/query_queue.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

namespace {
// Entries whose count is zero are not kept.
void CountDown(std::map<std::string, size_t>& counts, const std::string& name) {
  const auto count = counts.find(name);
  CHECK(count != counts.end() && count->second > 0, "what is counted down was counted up");
  if (--count->second == 0) counts.erase(count);
}

size_t CountOf(const std::map<std::string, size_t>& counts, const std::string& name) {
  const auto count = counts.find(name);
  return count == counts.end() ? 0 : count->second;
}
}  // namespace

QueryQueue::Admission QueryQueue::Push(Item item) {
  if (waiting_.size() >= options_.jobs) return Admission::kFull;
  if (CountOf(waiting_of_caller_, item.origin.caller) >= options_.jobs_of_caller)
    return Admission::kCallerFull;
  ++waiting_of_caller_[item.origin.caller];
  waiting_.push_back(std::move(item));
  CHECK(waiting_.size() <= options_.jobs, "the queue is bounded");
  return Admission::kAccepted;
}

size_t QueryQueue::RunningOf(const std::string& caller) const {
  return CountOf(running_of_caller_, caller);
}

size_t QueryQueue::RunningOnSuspects() const {
  size_t running = 0;
  for (const std::string& server : suspects_) running += CountOf(running_of_server_, server);
  return running;
}

bool QueryQueue::MayRun(const Origin& origin) const {
  if (RunningOf(origin.caller) >= AllButOne()) return false;
  // Where there is one server only, nobody waits for another.
  if (!origin.server.empty() && CountOf(running_of_server_, origin.server) >= AllButOne())
    return false;
  return !suspects_.contains(origin.server) ||
         RunningOnSuspects() < std::max<size_t>(options_.threads / 2, 1);
}

std::optional<QueryQueue::Item> QueryQueue::Pop() {
  auto best = waiting_.end();
  for (auto item = waiting_.begin(); item != waiting_.end(); ++item) {
    if (!MayRun(item->origin)) continue;
    if (best == waiting_.end() || RunningOf(item->origin.caller) < RunningOf(best->origin.caller))
      best = item;
  }
  if (best == waiting_.end()) return std::nullopt;
  Item item = std::move(*best);
  waiting_.erase(best);
  CountDown(waiting_of_caller_, item.origin.caller);
  ++running_of_caller_[item.origin.caller];
  ++running_of_server_[item.origin.server];
  return item;
}

void QueryQueue::Finished(const Origin& origin) {
  CountDown(running_of_caller_, origin.caller);
  CountDown(running_of_server_, origin.server);
}

bool QueryQueue::Remove(uint64_t id) {
  const auto item = std::ranges::find(waiting_, id, &Item::id);
  if (item == waiting_.end()) return false;
  CountDown(waiting_of_caller_, item->origin.caller);
  waiting_.erase(item);
  return true;
}

void QueryQueue::Suspect(const std::string& server, bool suspected) {
  if (suspected) {
    suspects_.insert(server);
  } else {
    suspects_.erase(server);
  }
}

}  // namespace tidegate::reader
