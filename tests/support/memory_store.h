// A Store in memory, for tests of what uses a store. It keeps the same contract, but its limit
// counts only the bytes of values. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "store/store.h"

namespace tidegate {

class MemoryStore final : public Store {
 public:
  struct Options {
    std::string gateway = "gw";
    uint64_t max_bytes = 64ull << 20;
    // False: Append returns kFull at the limit.
    bool drop_oldest = true;
  };

  MemoryStore() : MemoryStore(Options{}) {}
  explicit MemoryStore(Options options) : options_(std::move(options)) {}

  Result<Seq> Append(const AppendRequest& request) override;
  Result<std::optional<Batch>> Next(const Cursor& after) override;
  void Delivered(RecordClass record_class, Seq first_seq) override;
  void Park(RecordClass record_class, Seq first_seq) override;
  Status Flush() override;
  void SetSnapshotSource(SnapshotSource source) override { snapshot_source_ = std::move(source); }
  Result<std::optional<Snapshot>> LoadSnapshot() override { return snapshot_; }
  Result<std::optional<Batch>> Replay(RecordClass record_class, Seq after) override;
  Result<std::optional<std::string>> ReadValue(std::string_view name) override;
  Status WriteValue(std::string_view name, std::string_view body) override;
  const std::string& epoch() const override { return epoch_; }
  StoreUsage Usage() const override;

  // Keeps what a restart finds: everything but the source and what was handed out.
  void Restart();
  // Append and Next return `status` from now on; OK ends that.
  void FailWith(Status status) { failure_ = std::move(status); }
  // From now on a dead letter with a larger payload is refused for good.
  void RefuseLettersOver(size_t payload_bytes) { most_letter_bytes_ = payload_bytes; }
  // From now on every dead letter is refused for good.
  void RefuseLetters() { refuses_letters_ = true; }
  const std::vector<DeadLetter>& dead_letters() const { return dead_letters_; }

 private:
  using Key = std::pair<RecordClass, Seq>;

  void Keep(const AppendRequest& request, const AppendRequest::NewBatch& batch, Seq first_seq);
  void DropOldest(const ClockStamp& stamp);
  // Saves one if the source gives one, and forgets the delivered batches that it covers.
  void TakeSnapshot();
  bool Refuses(const DeadLetter& letter) const;
  void Forget(const Key& key);

  Options options_;
  std::string epoch_ = "00000000";
  Status failure_;
  Seq next_seq_ = 1;
  uint64_t bytes_ = 0;
  std::map<Key, Batch> batches_;
  std::set<Key> handed_out_;
  std::set<Key> parked_;
  std::set<Key> delivered_;  // Kept for replay.
  SnapshotSource snapshot_source_;
  std::optional<Snapshot> snapshot_;
  std::map<std::string, std::string, std::less<>> values_;
  std::vector<DeadLetter> dead_letters_;
  std::optional<size_t> most_letter_bytes_;
  bool refuses_letters_ = false;
};

}  // namespace tidegate
