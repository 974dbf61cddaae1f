// One member of the projecting consumer group. It reads the same topics as the landing and folds
// the landed documents into the projections. A message is folded only when the landing's position
// is past it, and only if the landed document of its id came from that very message.
//
// While the database is unreachable, or projections are made anew (rebuild_mark.h), it pauses its
// partitions, keeps polling, and tries again. A tenant's database that fails alone, or is slow
// while others wait, lags alone (laggards.h), and a partition whose messages do not land waits
// alone (buffer.h).
//
// Invariants, each guarded by a CHECK where it changes: the offsets of each partition are done and
// stored in ascending order, except when the partition is rewound; each decoded message is counted
// once, as folded, absent or repeated.
// Thread: everything happens in Step() and Stop(), on the caller's thread, to which the source and
// the stores belong too.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
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
#include "reader/project/buffer.h"
#include "reader/project/fold_group.h"
#include "reader/project/folder.h"
#include "reader/project/laggards.h"
#include "reader/project/landed_events.h"
#include "reader/project/landed_positions.h"
#include "reader/project/projector_metrics.h"
#include "reader/project/projector_options.h"

namespace tidegate::reader {

class Projector final : public Member, private SourceListener, private JumpKeeper {
 public:
  using Options = ProjectorOptions;
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
  void OnAssigned(std::span<const Partition> partitions) override;
  void OnRevoked(std::span<const Partition> partitions, bool lost) override;
  void OnLag(std::span<const PartitionLag> lag, bool brokers_up) override;
  // JumpKeeper: the group's committed positions, and the messages that it can no longer read.
  Result<Offsets> Expected(std::span<const Partition> partitions) override;
  Status Record(std::span<const Jump> lost, WallTime now) override;

  void Add(SourceMessage message);
  // The consumer has gone back in the partition: drops what is buffered of it, and notices if its
  // log was made anew.
  void GoBack(const Partition& partition);
  // Goes to the beginning of logs that the landing has found to be made anew.
  void FollowNewLogs();
  // What was done in the partition's previous log no longer counts.
  void BeginLog(const Partition& partition);
  // Removes what is buffered of the partition, and resumes it. Returns how many messages it were.
  size_t DropBuffered(const Partition& partition);
  // What is new may be folded at once, even while other messages wait for the landing.
  bool Due() const {
    return !buffer_.empty() && (intake_.Due(buffer_.Full()) || (buffer_.Full() && !failing_));
  }
  // Folds the buffered messages that the landing's positions are past; the rest stays buffered.
  void Advance();
  Status AdvanceOnce();
  // Moves the messages that are to be folded now to the front. Returns how many there are.
  size_t MoveReady();
  // Folds the first `count` messages, database by database, and finishes them, unless the time is
  // up before. kUnavailable: nothing could be folded.
  Status FoldFront(size_t count);
  // Groups the messages that are to be folded, those that came first in front, and leaves out those
  // of databases that lag.
  std::vector<FoldGroup> ByDatabase(std::span<Buffer::Item> items);
  Status FoldDatabase(FoldGroup& group);
  // The database has failed. Returns an error if the main one fails, too, so that all wait.
  Status LetLag(const FoldGroup& group, const Error& error);
  void BeginLag(const FoldGroup& group, const std::string& reason);
  // Lets databases lag that have kept others waiting.
  void JudgeSlow(std::span<const FoldGroup> groups);
  void LeaveOut(const Buffer::Item& item);
  // Tries a database that lags, and rewinds its partitions if it answers.
  void TryLaggard();
  Status RewindFor(const std::string& database);
  Status EnsureIndexes(const std::string& database);
  // Removes the first `count` messages and stores their offsets.
  void Finish(size_t count);
  void CountSkipped(const LandedEvents& found);
  // Pauses and resumes the partitions that wait.
  void Balance();
  void ForgetPartition(const Partition& partition);
  void Postpone(const Status& status);
  void Account();
  void WhenIdle();
  void Report(bool changed) { report_.Post(buffer_.size(), changed); }
  MemberState& state() { return report_.state(); }
  const std::string& name() const { return report_.name(); }

  const Options options_;
  Parts parts_;
  Backoff backoff_;
  Intake intake_;
  MemberReport report_;
  LogLimit trouble_log_;
  LogLimit skip_log_;
  LogLimit refusal_log_;
  Folder folder_;
  JumpWatch jumps_;
  Buffer buffer_;
  LandedPositions positions_;
  Laggards laggards_;
  std::set<Partition> assigned_;
  // The position after the last finished message of each partition.
  std::map<Partition, int64_t> done_;
  bool failing_ = false;  // The last attempt found the database unreachable.
  // Databases whose projections have their indexes.
  std::set<std::string> indexed_;
  // What was counted and logged of the folder's counts.
  uint64_t counted_conflicts_ = 0;
  uint64_t counted_alerts_ = 0;
  uint64_t counted_saves_ = 0;
  uint64_t counted_applied_ = 0;
  BootTime next_ping_{};
};

}  // namespace tidegate::reader
