// One member of the projecting consumer group. It reads the same topics as the landing and folds
// the landed documents into the projections. A message is folded only when the landing's position
// is past it, and only if the landed document of its id came from that very message.
//
// While the database is unreachable, or projections are made anew (rebuild_mark.h), it pauses its
// partitions, keeps polling, and tries again.
//
// Invariants, each guarded by a CHECK where it changes: the offsets of each partition are folded
// and stored in ascending order; bytes_ and values_ are the sums over items_; each decoded message
// is counted once, as folded, absent or repeated.
// Thread: everything happens in Step() and Stop(), on the caller's thread, to which the source and
// the stores belong too.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "reader/consume/source.h"
#include "reader/decode/decoder.h"
#include "reader/land/intake.h"
#include "reader/land/jump_watch.h"
#include "reader/land/member.h"
#include "reader/land/member_report.h"
#include "reader/land/status_board.h"
#include "reader/project/folder.h"
#include "reader/project/projector_metrics.h"

namespace tidegate::reader {

class Projector final : public Member, private SourceListener, private JumpKeeper {
 public:
  struct Options {
    // A batch is folded at the first of these limits. Larger batches load and save each projection
    // less often.
    size_t batch_records = 2'000;
    size_t batch_bytes = 2 * 1024 * 1024;
    // Since the batch's first message.
    std::chrono::milliseconds batch_interval{500};
    // How long to wait before the landing's positions are read again, if buffered messages have not
    // landed yet.
    std::chrono::milliseconds landing_interval{200};
    // Between attempts while the database is unreachable.
    Backoff::Options backoff{};
    // The database that holds the landing's positions.
    std::string database = "tidegate";
    Folder::Options folder;
  };
  struct Parts {
    Source& source;
    ProjectionStore& projections;
    DocumentStore& documents;
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
    ProjectorMetrics& metrics;
    StatusBoard& board;
  };

  // The parts must outlive the projector. `place` is its row on the board, `name` its name there
  // and in the log.
  Projector(Options options, Parts parts, size_t place, std::string name, uint64_t seed);

  Status Step(std::chrono::milliseconds patience) override;
  void Stop() override;

 private:
  struct Item {
    Partition partition;
    std::string key;  // "<topic>/<number>"
    int64_t offset = 0;
    size_t bytes = 0;
    size_t values = 0;
    // Without one, the message did not decode and cannot have landed.
    std::optional<Document> document;
  };

  void OnAssigned(std::span<const Partition> partitions) override;
  void OnRevoked(std::span<const Partition> partitions, bool lost) override;
  void OnLag(std::span<const PartitionLag> lag, bool brokers_up) override;
  // JumpKeeper: the group's committed positions, and the messages that it can no longer read.
  Result<Offsets> Expected(std::span<const Partition> partitions) override;
  Status Record(std::span<const Jump> lost, WallTime now) override;

  void Add(SourceMessage message);
  bool Full() const;
  bool Due() const { return !items_.empty() && intake_.Due(Full()); }
  // Folds the buffered messages that the landing's positions are past; the rest stays buffered.
  void Advance();
  Status ReadPositions();
  // Moves the messages that have landed to the front, in their order. Returns how many there are.
  size_t PartReady();
  Status FoldFront(size_t count);
  // Returns the documents that landed from these very messages.
  Result<std::vector<Event>> FindEvents(std::span<Item> items);
  Status EnsureIndexes(std::span<const Event> events);
  // Removes the first `count` messages and stores their offsets.
  void Finish(size_t count);
  void Discount(const Item& item);
  void CheckCounts() const;
  void Postpone(const Status& status);
  void Account();
  void WhenIdle();
  void Report(bool changed) { report_.Post(items_.size(), changed); }
  MemberState& state() { return report_.state(); }
  const std::string& name() const { return report_.name(); }

  const Options options_;
  Parts parts_;
  Backoff backoff_;
  Intake intake_;
  MemberReport report_;
  LogLimit trouble_log_;
  LogLimit skip_log_;
  Folder folder_;
  JumpWatch jumps_;

  // Buffered messages in the order of arrival, their bytes, and their JSON values.
  std::vector<Item> items_;
  size_t bytes_ = 0;
  size_t values_ = 0;
  // The highest offset that was buffered, of each partition with buffered messages.
  std::map<std::string, int64_t, std::less<>> newest_;
  // The landing's positions as they were last read.
  Offsets landed_;
  bool failing_ = false;  // The last attempt found the database unreachable.
  // Databases whose projections have their indexes.
  std::set<std::string> indexed_;
  uint64_t counted_conflicts_ = 0;
  uint64_t counted_refusals_ = 0;
  BootTime next_ping_{};
};

}  // namespace tidegate::reader
