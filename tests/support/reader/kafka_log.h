// Partitions that keep what was written, and members that read them from their group's commits, for
// tests of rebalances and replays. Two members may read one partition, because one of them does not
// know yet that it has lost it. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reader/consume/source.h"

namespace tidegate::reader {

struct KafkaLog {
  std::map<Partition, std::vector<SourceMessage>> partitions;
  // The group's.
  std::map<Partition, int64_t> committed;

  // Adds a message at the partition's next offset plus `gap`.
  const SourceMessage& Append(const Partition& partition, std::string value, WallTime time,
                              int64_t gap = 0,
                              std::vector<std::pair<std::string, std::string>> headers = {});
  int64_t End(const Partition& partition) const;
  // The topic is made anew: its log is empty.
  void BeginAnew(const Partition& partition) { partitions[partition].clear(); }
};

class LogSource final : public Source {
 public:
  explicit LogSource(KafkaLog& log) : log_(log) {}

  // Begins to read the partition at the group's commit.
  void Assign(const Partition& partition);
  void Revoke(const Partition& partition, bool lost);
  bool Has(const Partition& partition) const { return next_.contains(partition); }

  void SetListener(SourceListener* listener) override { listener_ = listener; }
  Result<std::optional<SourceMessage>> Poll(std::chrono::milliseconds patience) override;
  void StoreOffsets(std::span<const Position> positions) override;
  Result<int64_t> EarliestOffset(const Partition&) override { return 0; }
  Result<int64_t> EndOffset(const Partition& partition) override;
  // While hidden, no broker reports the end of a partition.
  void HideEnd(bool hidden) { end_hidden_ = hidden; }
  Result<std::vector<Position>> CommittedOffsets(std::span<const Partition> partitions) override;
  Status Seek(const Partition& partition, int64_t offset) override;
  void Pause() override { paused_ = true; }
  void Resume() override {
    paused_ = false;
    paused_partitions_.clear();
  }
  void Pause(std::span<const Partition> partitions) override {
    paused_partitions_.insert(partitions.begin(), partitions.end());
  }
  void Resume(std::span<const Partition> partitions) override {
    for (const Partition& partition : partitions) paused_partitions_.erase(partition);
  }
  void Close() override {}

 private:
  KafkaLog& log_;
  SourceListener* listener_ = nullptr;
  std::map<Partition, int64_t> next_;
  // Partitions are polled in turn.
  size_t turn_ = 0;
  bool end_hidden_ = false;
  bool paused_ = false;
  std::set<Partition> paused_partitions_;
};

}  // namespace tidegate::reader
