#include "store/snapshot_offer.h"

#include <fmt/format.h>

#include "core/check.h"

namespace tidegate {

bool SnapshotOffer::Take() {
  if (asked_ || !snapshots_.has_source()) return body_ || is_too_large_;
  asked_ = true;
  body_ = snapshots_.source()();
  const uint64_t limit = snapshots_.limits().max_bytes;
  if (!body_ || body_->size() <= limit) return body_.has_value();
  snapshots_.CountError(fmt::format("of {} bytes is over its share of {}", body_->size(), limit));
  body_.reset();
  is_too_large_ = true;
  return true;
}

Status SnapshotOffer::Save(StoreWriter& writer) const {
  CHECK(!(body_ && is_too_large_), "a state that is too large is not saved");
  CHECK(!body_ || body_->size() <= snapshots_.limits().max_bytes, "a snapshot keeps to its share");
  if (is_too_large_) writer.CoverWithoutSnapshot(through_);
  if (!body_) return {};
  return writer.SaveSnapshot(*body_, through_);
}

}  // namespace tidegate
