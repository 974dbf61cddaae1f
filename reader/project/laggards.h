// The databases whose projections lag, because their server does not answer or their records are
// parked. The projector leaves their messages out, so that the other databases' projections go on,
// and reads these messages again when the database answers. Until then the group commits no offset
// after the first of them, so that another process reads them again, too. One thread.
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
  void OnRewound(const std::string& database, const Partition& partition, int64_t until);
  // It lags no longer.
  void End(const std::string& database) { lagging_.erase(database); }

  // Everything of the partition before `next` is done. Returns the position that may be committed.
  int64_t OnDone(const Partition& partition, int64_t next);
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
  struct Reread {
    int64_t until = 0;
    std::set<std::string> databases = {};
  };

  const Options options_;
  std::map<std::string, Lagging> lagging_;
  std::map<Partition, Reread> rereads_;
  // No database is tried before.
  BootTime next_try_{};
};

}  // namespace tidegate::reader
