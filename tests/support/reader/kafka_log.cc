#include "tests/support/reader/kafka_log.h"

#include <algorithm>

namespace tidegate::reader {

const SourceMessage& KafkaLog::Append(const Partition& partition, std::string value, WallTime time,
                                      int64_t gap,
                                      std::vector<std::pair<std::string, std::string>> headers) {
  const int64_t offset = End(partition) + gap;
  return partitions[partition].emplace_back(SourceMessage{.partition = partition,
                                                          .offset = offset,
                                                          .timestamp = time,
                                                          .key = std::nullopt,
                                                          .value = std::move(value),
                                                          .headers = std::move(headers)});
}

int64_t KafkaLog::End(const Partition& partition) const {
  const auto found = partitions.find(partition);
  return found == partitions.end() || found->second.empty() ? 0 : found->second.back().offset + 1;
}

void LogSource::Assign(const Partition& partition) {
  next_[partition] = log_.committed[partition];
  if (listener_) listener_->OnAssigned(std::span(&partition, 1));
}

void LogSource::Revoke(const Partition& partition, bool lost) {
  if (listener_) listener_->OnRevoked(std::span(&partition, 1), lost);
  next_.erase(partition);
  paused_partitions_.erase(partition);
}

Result<std::optional<SourceMessage>> LogSource::Poll(std::chrono::milliseconds) {
  if (paused_ || next_.empty()) return std::optional<SourceMessage>();
  for (size_t tries = 0; tries < next_.size(); ++tries) {
    auto& [partition, next] =
        *std::next(next_.begin(), static_cast<std::ptrdiff_t>(turn_++ % next_.size()));
    if (paused_partitions_.contains(partition)) continue;
    // As Kafka's consumers do: beyond the log's end they read from its beginning.
    if (next > log_.End(partition)) next = 0;
    const auto& messages = log_.partitions[partition];
    const auto found = std::ranges::lower_bound(messages, next, {}, &SourceMessage::offset);
    if (found == messages.end()) continue;
    next = found->offset + 1;
    return std::optional<SourceMessage>(*found);
  }
  return std::optional<SourceMessage>();
}

Result<std::vector<Position>> LogSource::CommittedOffsets(std::span<const Partition> partitions) {
  std::vector<Position> committed;
  for (const Partition& partition : partitions)
    committed.push_back({partition, log_.committed[partition]});
  return committed;
}

Result<int64_t> LogSource::EndOffset(const Partition& partition) {
  if (end_hidden_) return Error{ErrorCode::kUnavailable, "no broker answers"};
  return log_.End(partition);
}

Status LogSource::Seek(const Partition& partition, int64_t offset) {
  if (!Has(partition)) return Error{ErrorCode::kUnavailable, "not assigned"};
  next_[partition] = offset;
  return {};
}

void LogSource::StoreOffsets(std::span<const Position> positions) {
  for (const Position& position : positions) {
    if (Has(position.partition)) log_.committed[position.partition] = position.next_offset;
  }
}

}  // namespace tidegate::reader
