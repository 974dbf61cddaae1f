// The half of Pipeline that hands what waits to the store, in one transaction or, if that is more
// than the store takes at once, in several.
#include <algorithm>
#include <utility>

#include "agent/pipeline/input_inbox.h"
#include "agent/pipeline/pipeline.h"

namespace tidegate {

namespace {

bool SameMessage(const Arrival& a, const Arrival& b) {
  return a.packet_id && a.packet_id == b.packet_id && a.input == b.input;
}

// At most `most` records from `begin`, ending with a message if one ends there.
size_t EndOfPart(const std::vector<std::pair<Record, Arrival>>& records, size_t begin,
                 size_t most) {
  const size_t end = std::min(begin + most, records.size());
  for (size_t at = end; at > begin; --at) {
    if (at == records.size() || !SameMessage(records[at - 1].second, records[at].second)) return at;
  }
  return end;
}

}  // namespace

AppendRequest Pipeline::MakeRequest() const {
  AppendRequest request = pending_.Request();
  request.inputs = input_names_;
  request.stamp = StampNow(clock_);
  return request;
}

bool Pipeline::Commit() {
  commit_timer_->Cancel();
  retry_timer_->Cancel();
  Status status;
  if (!pending_.empty()) status = Append(/*all=*/true);
  if (!status.ok() && status.error().code == ErrorCode::kRejected) status = CommitInParts();
  if (!status.ok()) {
    OnAppendFailed(status.error());
    return false;
  }
  blocked_ = false;
  retry_backoff_.Reset();
  Settle();
  return true;
}

// `all`: it is everything that has been accepted, so that the state may be saved with it. What has
// been stored no longer waits.
Status Pipeline::Append(bool all) {
  const AppendRequest request = MakeRequest();
  committing_ = all;
  const auto appended = store_.Append(request);
  committing_ = false;
  if (!appended.ok()) return appended.error();
  commits_.Increment();
  alerts_raised_.Increment(static_cast<double>(pending_.raised()));
  alerts_cleared_.Increment(static_cast<double>(pending_.cleared()));
  if (on_stored_ && !request.batches.empty()) on_stored_(*appended, request);
  pending_.Clear();
  return {};
}

// The store refuses all of it together. So the state goes back to what is stored, and the records
// follow in order, in parts that it takes; one that is refused alone can never be stored and
// becomes a dead letter, part of the state no more than of the store. Sources are told when all is
// done. Rare, and each part that is refused costs what a restart costs.
Status Pipeline::CommitInParts() {
  std::vector<DeadLetter> letters = pending_.TakeDeadLetters();
  const auto records = pending_.TakeRecords();
  size_t done = 0;
  size_t most = std::max<size_t>(1, records.size() / 2);
  Status status = FoldAnew();
  while (status.ok() && done < records.size()) {
    const size_t end = EndOfPart(records, done, most);
    FoldIn(records, done, end);
    status = Append(/*all=*/false);
    if (status.ok()) {
      done = end;
      continue;
    }
    if (status.error().code != ErrorCode::kRejected) break;
    pending_.Clear();
    if (most = (end - done) / 2; most == 0) {
      letters.push_back(TooLarge(records[done++].first, status.error().message));
      most = 1;
    }
    status = FoldAnew();
  }
  if (status.ok()) status = AppendLetters(letters);
  if (status.ok()) return status;
  // The rest waits as it did before.
  pending_.Clear();
  FoldIn(records, done, records.size());
  for (DeadLetter& letter : letters) pending_.AddDeadLetter(std::move(letter));
  return status;
}

Status Pipeline::FoldAnew() {
  const bool complete = RestoreFold(/*receipts_too=*/false);
  EnterBoot(clock_.BootId());
  if (complete) return {};
  return Error{ErrorCode::kUnavailable, "read the state back from the store"};
}

void Pipeline::FoldIn(const std::vector<std::pair<Record, Arrival>>& records, size_t begin,
                      size_t end) {
  for (size_t i = begin; i < end; ++i) {
    const auto& [record, arrival] = records[i];
    Keep(Record(record), DecodedRecord(record), arrival);
  }
}

DeadLetter Pipeline::TooLarge(const Record& record, const std::string& reason) const {
  return {.input = "store",
          .origin = RecordKey(record.tenant, record.asset),
          .reason = reason,
          .payload = record.value,
          .time = clock_.Now()};
}

// In parts as well; takes out what is stored.
Status Pipeline::AppendLetters(std::vector<DeadLetter>& letters) {
  size_t most = letters.size();
  while (!letters.empty()) {
    const auto end = letters.begin() + static_cast<std::ptrdiff_t>(std::min(most, letters.size()));
    AppendRequest request;
    request.dead_letters = {letters.begin(), end};
    request.stamp = StampNow(clock_);
    if (const auto appended = store_.Append(request); appended.ok()) {
      letters.erase(letters.begin(), end);
    } else if (appended.error().code != ErrorCode::kRejected || most == 1) {
      return Error{ErrorCode::kUnavailable, appended.error().message};
    } else {
      most = std::max<size_t>(1, std::min(most, letters.size()) / 2);
    }
  }
  return {};
}

void Pipeline::OnAppendFailed(const Error& error) {
  commit_failures_.Increment();
  if (const auto count = failed_log_.Count(clock_.SinceBoot())) {
    log_.Error("{} commit(s) failed, {} record(s) wait in memory and are not acknowledged: {}",
               *count, pending_.records(), error.message);
  }
  blocked_ = true;
  retry_timer_->After(retry_backoff_.Next());
}

}  // namespace tidegate
