#include "store/snapshots.h"

#include "core/check.h"

namespace tidegate {

Snapshots::Snapshots(const Limits& limits, const Clock& clock, const Log& log,
                     StoreMetrics& metrics)
    : limits_(limits), clock_(clock), log_(log), metrics_(metrics) {}

bool Snapshots::IsDue(const StoreContents& contents) const {
  CHECK(contents.totals.next_seq != 0, "seqs start at 1");
  return has_source() &&
         (contents.totals.next_seq - 1 >= contents.covered + limits_.max_replay_records ||
          contents.batches_after_snapshot >= limits_.max_replay_batches);
}

void Snapshots::CountError(std::string_view why) {
  metrics_.CountSnapshotError();
  if (const auto count = error_limit_.Count(clock_.SinceBoot())) {
    log_.Error("store: the snapshot {}; after a crash the state may be behind ({} such errors)",
               why, *count);
  }
}

}  // namespace tidegate
