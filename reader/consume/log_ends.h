// Asks brokers where the logs of partitions end. A partition for which no broker has answered is
// not asked about again for a while, so that a silent broker delays its caller once, and not once
// for each message of the partition. One thread.
#pragma once

#include <cstdint>
#include <map>

#include "core/clock.h"
#include "core/result.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

class LogEnds {
 public:
  // Both must outlive the object.
  LogEnds(Source& source, const Clock& clock) : source_(source), clock_(clock) {}

  // Returns the offset after the partition's last message, within 2 s. kUnavailable: no broker
  // answers, or none has a moment ago.
  Result<int64_t> Of(const Partition& partition);
  // Until then Of() does not ask; zero: a broker has answered last, or nobody was asked.
  BootTime SilentUntil(const Partition& partition) const;
  void Forget(const Partition& partition) { silent_until_.erase(partition); }
  void ForgetAll() { silent_until_.clear(); }

 private:
  Source& source_;
  const Clock& clock_;
  std::map<Partition, BootTime> silent_until_;
};

}  // namespace tidegate::reader
