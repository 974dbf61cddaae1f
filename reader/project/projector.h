// One member of the projecting group: follows the landing through the same topics and folds what
// has landed into the projections. It never guesses: a message is folded when the landing's
// position is past it, and only if the landed document of its id came from that very message.
//
// Everything happens in Step(), on the caller's thread; its source and stores belong to that thread
// too. With the database away, or while projections are made anew (rebuild_mark.h), it pauses,
// keeps polling, and tries again.
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
    // A batch is folded at the first of these. Larger ones load and save each projection less
    // often.
    size_t batch_records = 2'000;
    size_t batch_bytes = 2 * 1024 * 1024;
    std::chrono::milliseconds batch_interval{500};  // Since its first message.
    // How soon to look again whether the landing has come past what is in hand.
    std::chrono::milliseconds landing_interval{200};
    Backoff::Options backoff{};         // Between attempts with the database away.
    std::string database = "tidegate";  // Where the landing's positions are.
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

  // `place` is its place on the board, `name` what it is called there.
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
    const Stream* stream = nullptr;
    std::optional<Document> document;  // Without one, the message has no place in the landing.
  };

  void OnAssigned(std::span<const Partition> partitions) override;
  void OnRevoked(std::span<const Partition> partitions, bool lost) override;
  void OnLag(std::span<const PartitionLag> lag, bool brokers_up) override;
  // Where the group is, and what it can no longer see.
  Result<Offsets> Expected(std::span<const Partition> partitions) override;
  Status Record(std::span<const Jump> lost, WallTime now) override;

  void Add(SourceMessage message);
  bool Full() const;
  bool Due() const { return !items_.empty() && intake_.Due(Full()); }
  // One attempt at what the landing has come past; the rest stays in hand.
  void Advance();
  Status ReadPositions();
  // Of each partition's messages those in front that are landed go first; how many these are.
  size_t PartReady();
  Status FoldFront(size_t count);
  // The documents that landed from their very messages.
  Result<std::vector<Event>> FindEvents(std::span<Item> items);
  Status EnsureIndexes(std::span<const Event> events);
  void Finish(size_t count);
  void Postpone(const Status& status);
  void Account();
  void WhenIdle();
  void Report(bool changed) { report_.Post(items_.size(), changed); }
  WorkerState& state() { return report_.state(); }
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

  std::vector<Item> items_;                             // In hand, in the order of arrival.
  std::map<std::string, int64_t, std::less<>> newest_;  // In hand, of each partition.
  size_t bytes_ = 0;
  size_t values_ = 0;
  Offsets landed_;                 // As far as they are known.
  bool failing_ = false;           // The last attempt found the database away.
  std::set<std::string> indexed_;  // Databases.
  uint64_t counted_conflicts_ = 0;
  uint64_t counted_refusals_ = 0;
  BootTime next_ping_{};
};

}  // namespace tidegate::reader
