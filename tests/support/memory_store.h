// A Store in memory, for tests of what stands on one: the same contract, the limit counted in the
// bytes of values alone. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
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
    bool drop_oldest = true;  // Else Append returns kFull.
  };

  MemoryStore() : MemoryStore(Options{}) {}
  explicit MemoryStore(Options options) : options_(std::move(options)) {}

  Result<Seq> Append(const AppendRequest& request) override;
  Result<std::optional<Batch>> Next(const Cursor& after) override;
  void Delivered(RecordClass record_class, Seq first_seq) override;
  Status Flush() override;
  const std::string& epoch() const override { return epoch_; }
  StoreUsage Usage() const override;

  // Until it is called again with OK, Append and Next return this.
  void FailWith(Status status) { failure_ = std::move(status); }
  const std::vector<DeadLetter>& dead_letters() const { return dead_letters_; }

 private:
  using Key = std::pair<RecordClass, Seq>;

  void DropOldest(const ClockStamp& stamp);

  Options options_;
  std::string epoch_ = "00000000";
  Status failure_;
  Seq next_seq_ = 1;
  uint64_t bytes_ = 0;
  std::map<Key, Batch> batches_;
  std::set<Key> handed_out_;
  std::vector<DeadLetter> dead_letters_;
};

}  // namespace tidegate
