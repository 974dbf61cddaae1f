#include "uplink/store_access.h"

#include <algorithm>
#include <utility>

namespace tidegate {

namespace {
constexpr auto kRetryAfter = std::chrono::seconds(1);
}  // namespace

StoreAccess::StoreAccess(Store& store, Loop& loop, const Clock& clock, const Log& log,
                         std::chrono::milliseconds flush_after)
    : store_(store),
      clock_(clock),
      log_(log),
      flush_after_(flush_after),
      epoch_(store.epoch()),
      flush_timer_(loop.AddTimer([this] { Flush(); })) {}

bool StoreAccess::FollowEpoch() {
  if (!replaced()) return false;
  epoch_ = store_.epoch();
  return true;
}

Cursor StoreAccess::PastAll() {
  Cursor cursor;
  cursor.last.fill(kPastAll);
  return cursor;
}

Result<std::optional<Batch>> StoreAccess::Next(const Cursor& after) {
  Result<std::optional<Batch>> next = store_.Next(after);
  if (!next.ok()) {
    NoteFailure(next.error());
    return next;
  }
  if (replaced()) {
    retry_at_ = std::max(retry_at_, clock_.SinceBoot() + kRetryAfter);
    return Error{ErrorCode::kUnavailable, "the store was replaced"};
  }
  if (*next && ((*next)->records.empty() ||
                (*next)->first_seq <= after.last[static_cast<size_t>((*next)->record_class)])) {
    const Error error{ErrorCode::kCorrupt, "read the next batch: it is empty or out of order"};
    NoteFailure(error);
    return error;
  }
  return next;
}

bool StoreAccess::Write(DeadLetter letter) {
  AppendRequest request;
  request.dead_letters = {&letter, 1};
  request.of_stored_records = true;
  request.stamp = StampNow(clock_);
  Result<Seq> result = store_.Append(request);
  if (!result.ok() && result.error().code == ErrorCode::kRejected) {
    DropPayload(letter);
    result = store_.Append(request);
  }
  if (result.ok()) {
    if (on_own_write_) on_own_write_();
    return true;
  }
  NoteFailure(result.error());
  return result.error().code == ErrorCode::kRejected;
}

void StoreAccess::Delivered(RecordClass record_class, Seq first_seq) {
  if (replaced()) return;
  store_.Delivered(record_class, first_seq);
  if (!std::exchange(deletes_pending_, true)) flush_timer_->After(flush_after_);
}

void StoreAccess::Park(RecordClass record_class, Seq first_seq) {
  if (!replaced()) store_.Park(record_class, first_seq);
}

void StoreAccess::OnAppended() {
  deletes_pending_ = false;
  flush_timer_->Cancel();
}

void StoreAccess::Flush() {
  if (!std::exchange(deletes_pending_, false)) return;
  const Status status = store_.Flush();
  if (status.ok()) {
    if (on_own_write_) on_own_write_();
    return;
  }
  NoteFailure(status.error());
  deletes_pending_ = true;
  flush_timer_->After(flush_after_);
}

void StoreAccess::NoteFailure(const Error& error) {
  const BootTime now = clock_.SinceBoot();
  retry_at_ = now + kRetryAfter;
  if (const auto count = limit_.Count(now)) {
    log_.Error("uplink: the store failed {} times: {}", *count, error.message);
  }
}

}  // namespace tidegate
