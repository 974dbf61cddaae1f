#include "tests/support/reader/fake_source.h"

#include <algorithm>

namespace tidegate::reader {

void FakeSource::Push(const Partition& partition, std::optional<std::string> value,
                      std::vector<std::pair<std::string, std::string>> headers) {
  messages_.push_back({.partition = partition,
                       .offset = next_offset_[partition]++,
                       .timestamp = WallTime(std::chrono::milliseconds(1'750'639'000'000)),
                       .key = "acme/truck-1",
                       .value = std::move(value),
                       .headers = std::move(headers)});
}

void FakeSource::PushHeartbeat(const Partition& partition, const std::string& event_id) {
  Push(partition,
       R"({"event_id":")" + event_id +
           R"(","tenant_id":"acme","asset_id":"truck-1","timestamp":"2025-06-23T00:37:01.000Z"})");
}

void FakeSource::Revoke(std::vector<Partition> partitions, bool lost) {
  events_.push_back(Revoked{std::move(partitions), lost});
}

Result<std::optional<SourceMessage>> FakeSource::Poll(std::chrono::milliseconds) {
  ++polls_;
  if (!failure_.empty()) return Error{ErrorCode::kInvalid, failure_};
  while (!events_.empty()) {
    const auto event = std::move(events_.front());
    events_.pop_front();
    if (const auto* assigned = std::get_if<Assigned>(&event))
      listener_->OnAssigned(assigned->partitions);
    if (const auto* revoked = std::get_if<Revoked>(&event))
      listener_->OnRevoked(revoked->partitions, revoked->lost);
    if (const auto* lag = std::get_if<Lag>(&event)) listener_->OnLag({&lag->lag, 1}, true);
  }
  const auto next = std::ranges::find_if(
      messages_, [&](const SourceMessage& message) { return !paused(message.partition); });
  if (paused_ || next == messages_.end()) return std::optional<SourceMessage>();
  std::optional<SourceMessage> message = std::move(*next);
  messages_.erase(next);
  returned_.push_back(*message);
  return message;
}

void FakeSource::Pause(std::span<const Partition> partitions) {
  paused_partitions_.insert(partitions.begin(), partitions.end());
}

void FakeSource::Resume(std::span<const Partition> partitions) {
  for (const Partition& partition : partitions) paused_partitions_.erase(partition);
}

Status FakeSource::Seek(const Partition& partition, int64_t offset) {
  std::deque<SourceMessage> again;
  std::erase_if(returned_, [&](const SourceMessage& message) {
    if (message.partition != partition || message.offset < offset) return false;
    again.push_back(message);
    return true;
  });
  messages_.insert(messages_.begin(), again.begin(), again.end());
  return {};
}

void FakeSource::BeginAnew(const Partition& partition) {
  next_offset_[partition] = 0;
  std::erase_if(returned_, [&](const SourceMessage& m) { return m.partition == partition; });
  std::erase_if(messages_, [&](const SourceMessage& m) { return m.partition == partition; });
}

Result<int64_t> FakeSource::EndOffset(const Partition& partition) {
  ++ends_asked_;
  if (earliest_hidden_ || ends_hidden_.contains(partition))
    return Error{ErrorCode::kUnavailable, "no broker answers"};
  return next_offset_[partition];
}

void FakeSource::StoreOffsets(std::span<const Position> positions) {
  for (const Position& position : positions) stored_[position.partition] = position.next_offset;
}

void FakeSource::Expire(const Partition& partition, int64_t before) {
  earliest_[partition] = before;
  next_offset_[partition] = std::max(next_offset_[partition], before);
}

Result<int64_t> FakeSource::EarliestOffset(const Partition& partition) {
  if (earliest_hidden_) return Error{ErrorCode::kUnavailable, "no broker answers"};
  return earliest_[partition];
}

Result<std::vector<Position>> FakeSource::CommittedOffsets(std::span<const Partition> partitions) {
  if (earliest_hidden_) return Error{ErrorCode::kUnavailable, "no broker answers"};
  std::vector<Position> committed;
  for (const Partition& partition : partitions)
    if (stored(partition) >= 0) committed.push_back({partition, stored(partition)});
  return committed;
}

int64_t FakeSource::stored(const Partition& partition) const {
  const auto found = stored_.find(partition);
  return found == stored_.end() ? -1 : found->second;
}

std::vector<Status> FakeDeadLetters::Publish(std::span<const DeadLetter> letters) {
  std::vector<Status> statuses;
  for (const DeadLetter& letter : letters) {
    if (down_ && statuses.size() >= let_through_) {
      statuses.push_back(Error{ErrorCode::kUnavailable, "the dead-letter topic is away"});
      continue;
    }
    if (refuses_) {
      statuses.push_back(Error{ErrorCode::kRejected, "the dead-letter topic takes no letter"});
      continue;
    }
    letters_.push_back({*letter.message, *letter.refusal, letter.epoch});
    statuses.push_back({});
  }
  return statuses;
}

}  // namespace tidegate::reader
