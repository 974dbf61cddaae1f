#include "reader/park/parked_partition.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

bool ParkedPartition::Deliver(int64_t offset, const std::string& database) {
  if (in_turn_ && !reached_) {
    CHECK(next_, "a turn ends at the forward position");
    reached_ = offset + 1 >= *next_;
    if (offset < *next_) {
      return turn_.contains(database) && offset >= waiting_.at(database).cursor;
    }
  }
  if (next_ && offset < *next_) return false;
  next_ = offset + 1;
  return !waiting_.contains(database) || (reached_ && turn_.contains(database));
}

void ParkedPartition::Landed(const std::string& database, int64_t offset) {
  const auto found = waiting_.find(database);
  if (found == waiting_.end()) return;
  found->second.cursor = std::max(found->second.cursor, offset + 1);
  found->second.wait = std::chrono::milliseconds::zero();
}

void ParkedPartition::Failed(const std::string& database, int64_t offset, const std::string& reason,
                             BootTime now) {
  CHECK(next_ && offset < *next_, "what fails was delivered");
  Waiting& waiting = waiting_.try_emplace(database, Waiting{.cursor = offset}).first->second;
  waiting.reason = reason;
  waiting.wait = std::clamp(waiting.wait * 2, options_.first_wait, options_.longest_wait);
  waiting.retry_at = now + waiting.wait;
  turn_.erase(database);
  CheckTurn();
}

int64_t ParkedPartition::Deleted(int64_t earliest) {
  int64_t gone = 0;
  for (auto& [database, waiting] : waiting_) {
    gone = std::max(gone, earliest - waiting.cursor);
    waiting.cursor = std::max(waiting.cursor, earliest);
  }
  return gone;
}

int64_t ParkedPartition::BeginAnew() {
  const int64_t gone = next_ ? Deleted(*next_) : 0;
  next_.reset();
  waiting_.clear();
  in_turn_ = false;
  turn_.clear();
  reached_ = false;
  return gone;
}

std::optional<int64_t> ParkedPartition::BeginTurn(BootTime now) {
  CHECK(!in_turn_, "a turn ends before the next one");
  std::optional<int64_t> from;
  for (const auto& [database, waiting] : waiting_) {
    if (waiting.retry_at > now) continue;
    turn_.insert(database);
    from = std::min(waiting.cursor, from.value_or(waiting.cursor));
  }
  if (!from) return std::nullopt;
  in_turn_ = true;
  reached_ = *from >= *next_;
  CheckTurn();
  return from;
}

std::optional<int64_t> ParkedPartition::EndTurn() {
  CHECK(in_turn_, "a turn that ends has begun");
  if (reached_)
    for (const std::string& database : turn_) waiting_.erase(database);
  const bool reached = reached_;
  turn_.clear();
  in_turn_ = false;
  reached_ = false;
  if (reached) return std::nullopt;
  return next_;
}

std::map<std::string, std::string> ParkedPartition::reasons() const {
  std::map<std::string, std::string> reasons;
  for (const auto& [database, waiting] : waiting_) reasons[database] = waiting.reason;
  return reasons;
}

std::optional<int64_t> ParkedPartition::position() const {
  std::optional<int64_t> position = next_;
  for (const auto& [database, waiting] : waiting_) position = std::min(*position, waiting.cursor);
  return position;
}

void ParkedPartition::CheckTurn() const {
  for (const std::string& database : turn_)
    CHECK(waiting_.contains(database), "a database that has a turn waits");
}

}  // namespace tidegate::reader
