// The fold's state for one transaction: the source is asked at most once, and only if the
// transaction wants a snapshot. Private to store/; one thread.
#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "store/snapshots.h"
#include "store/transaction/store_writer.h"

namespace tidegate {

class SnapshotOffer {
 public:
  // The snapshot covers every record up to `through`, which is the last that the transaction
  // numbers. `snapshots` outlives the offer.
  SnapshotOffer(Snapshots& snapshots, Seq through) : snapshots_(snapshots), through_(through) {}

  // Asks the source, unless it was asked. False: it has no state now. True: no record up to
  // through() has to stay for replay. That holds for a state that is too large as well, or records
  // would stay for ever; it is counted and not saved.
  bool Take();
  Seq through() const { return through_; }
  // Saves the state if Take() got one.
  Status Save(StoreWriter& writer) const;

 private:
  Snapshots& snapshots_;
  Seq through_;
  bool asked_ = false;
  bool is_too_large_ = false;
  std::optional<std::string> body_;
};

}  // namespace tidegate
