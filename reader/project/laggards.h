// The databases whose projections lag, because their server does not answer or their records are
// parked. The projector leaves their messages out, so that the other databases' projections go on,
// and reads these messages again when the database answers. Until then the group commits no offset
// after the first of them, so that another process reads them again, too. One thread.
//
// Reading again costs the other databases time, and may be in vain: a database may answer reads and
// refuse writes. So one that fails while its messages are read again waits until they have been
// read, and for longer than before; and what was read in vain counts as an attempt that took so
// long.
//
// Bounded: if too many messages of a partition have come since the first one that was left out,
// they are given up, and only a rebuild folds them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

class Laggards {
 public:
  struct Options {
    std::chrono::milliseconds retry_initial{1'000};
    std::chrono::milliseconds retry_max{60'000};
    // Attempts on databases that do not answer may take one of so many parts of the time.
    int retry_share = 10;
    // How long a database waits at most until its messages have been read again. They may never be,
    // because Kafka has deleted them.
    std::chrono::milliseconds longest_reread{600'000};
    // The most offsets of a partition that are read again.
    int64_t most = 500'000;
  };

  explicit Laggards(Options options) : options_(options) {}

  bool empty() const { return lagging_.empty() && rereads_.empty(); }
  bool Lags(const std::string& database) const { return lagging_.contains(database); }
  // The database failed: its messages are left out from now on. `took` is the time that this cost.
  void Begin(const std::string& database, const std::string& reason, BootTime now, BootTime took);
  // True if the message is to be folded: its database does not lag, and it was not folded before
  // the partition was rewound.
  bool Takes(const std::string& database, const Partition& partition, int64_t offset) const;
  // A message of a database that lags is left out. Returns how many offsets are given up, usually
  // 0.
  int64_t LeaveOut(const std::string& database, const Partition& partition, int64_t offset);

  // Returns a database that is to be tried again now.
  std::optional<std::string> Due(BootTime now) const;
  // Where its partitions are to be rewound to.
  std::map<Partition, int64_t> From(const std::string& database) const;
  // The partition was rewound for the database's sake; everything before `until` was folded for the
  // other databases.
  void OnRewound(const std::string& database, const Partition& partition, int64_t until,
                 BootTime now);
  // It lags no longer. Its backoff is kept until its messages have been read again.
  void End(const std::string& database);

  // Everything of the partition before `next` is done. Returns the position that may be committed.
  int64_t OnDone(const Partition& partition, int64_t next, BootTime now);
  void Forget(const Partition& partition);
  // Each database and why it lags, of the first 20, for people.
  std::vector<std::string> Reasons() const;

 private:
  struct Lagging {
    std::string reason;
    std::chrono::milliseconds backoff{0};
    BootTime retry_at{};
    // The first message of each partition that was left out.
    std::map<Partition, int64_t> from = {};
  };
  // A partition is read again up to `until`, for some databases.
  struct Reread {
    int64_t until = 0;
    std::set<std::string> databases = {};
    // When it was rewound last.
    BootTime began{};
    // One of the databases has failed again.
    bool in_vain = false;
  };

  // True if a partition is read again for it.
  bool IsReread(const std::string& database) const;
  // True if it has to wait because a partition that is read again for it is not through.
  bool WaitsForReread(const std::string& database, BootTime now) const;
  void EndReread(std::map<Partition, Reread>::iterator reread);

  const Options options_;
  std::map<std::string, Lagging> lagging_;
  std::map<Partition, Reread> rereads_;
  // The backoffs of databases that answer again, while partitions are read again for them.
  std::map<std::string, std::chrono::milliseconds> catching_up_;
  // No database is tried before.
  BootTime next_try_{};
};

}  // namespace tidegate::reader
