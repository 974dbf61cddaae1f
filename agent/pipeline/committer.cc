#include "agent/pipeline/committer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "agent/pipeline/retained.h"
#include "core/check.h"
#include "core/reached.h"

namespace tidegate {

namespace {
using std::chrono::milliseconds;

constexpr Backoff::Options kStoreRetry{.initial = milliseconds(100), .max = milliseconds(10'000)};

bool SameMessage(const Arrival& a, const Arrival& b) {
  return a.packet_id && a.packet_id == b.packet_id && a.input == b.input;
}

// At most `max_records` records from `begin`, ending with a message if one ends there.
size_t EndOfPart(const Pending::ArrivedRecords& records, size_t begin, size_t max_records) {
  const size_t end = std::min(begin + max_records, records.size());
  for (size_t at = end; at > begin; --at) {
    if (at == records.size() || !SameMessage(records[at - 1].second, records[at].second)) return at;
  }
  return end;
}

}  // namespace

Committer::Committer(PipelineState& state, Store& store, Loop& loop, const Clock& clock,
                     const Log& log, Metrics& metrics, std::function<void()> retry)
    : state_(state),
      store_(store),
      clock_(clock),
      log_(log),
      retry_backoff_(kStoreRetry, static_cast<uint64_t>(clock.SinceBoot().count())),
      commits_(metrics.AddCounter("tidegate_commits_total", "Transactions that stored records")),
      commit_failures_(
          metrics.AddCounter("tidegate_commit_failures_total", "Commits that the store refused")),
      letters_lost_(metrics.AddCounter("tidegate_dead_letters_lost_total",
                                       "Dead letters that the store refused for good")),
      alerts_raised_(
          metrics.AddCounter("tidegate_alerts_total", "Alerts by change", {{"change", "raised"}})),
      alerts_cleared_(
          metrics.AddCounter("tidegate_alerts_total", "Alerts by change", {{"change", "cleared"}})),
      retry_timer_(loop.AddTimer(std::move(retry))) {}

Committer::~Committer() {
  store_.SetSnapshotSource(nullptr);
}

uint16_t Committer::AddInput(const std::string& name) {
  CHECK(input_names_.size() < std::numeric_limits<uint16_t>::max(),
        "an input's index fits an arrival");
  input_names_.push_back(name);
  return static_cast<uint16_t>(input_names_.size() - 1);
}

void Committer::ProvideSnapshots() {
  store_.SetSnapshotSource([this] { return Snapshot(); });
}

void Committer::Add(Record&& record, const DecodedRecord& decoded, const Arrival& arrival) {
  CHECK(arrival.input < input_names_.size(), "a record arrives through an input that was added");
  const auto emit = [this](Record alert, RuleChange change) {
    pending_.AddAlert(std::move(alert), change);
  };
  state_.fold().Apply(decoded, arrival.since_boot, emit,
                      IsRetainedInput(input_names_[arrival.input]));
  pending_.Add(std::move(record), arrival);
  ++folded_;
}

bool Committer::Commit() {
  CHECK(appending_ == Appending::kNothing, "the store does not call back into a commit");
  retry_timer_->Cancel();
  Status status;
  if (!pending_.empty()) status = Append(Appending::kAll);
  if (!status.ok() && status.error().code == ErrorCode::kFull && !state_.complete()) {
    status = CompleteState();
    if (status.ok()) status = Append(Appending::kAll);
  }
  const auto is_refused = [&] {
    return !status.ok() && status.error().code == ErrorCode::kRejected;
  };
  if (is_refused() && pending_.has_letters()) status = CommitLettersApart();
  if (is_refused()) status = CommitInParts();
  if (!status.ok()) {
    RetryLater(status.error());
    return false;
  }
  CHECK(pending_.empty(), "a commit that succeeds leaves nothing pending");
  CHECK(folded_ == stored_, "after a commit the fold covers what is stored");
  blocked_ = false;
  retry_backoff_.Reset();
  return true;
}

Status Committer::Append(Appending appending) {
  CHECK(folded_ == stored_ + pending_.arrivals(),
        "the fold is ahead of the store by what is pending");
  AppendRequest request = pending_.Request();
  request.inputs = input_names_;
  request.stamp = StampNow(clock_);
  appending_ = appending;
  const auto appended = store_.Append(request);
  appending_ = Appending::kNothing;
  if (!appended.ok()) return appended.error();
  commits_.Increment();
  alerts_raised_.Increment(static_cast<double>(pending_.raised()));
  alerts_cleared_.Increment(static_cast<double>(pending_.cleared()));
  // Also with nothing but letters: the store may have written a gap record beside them.
  if (on_stored_) on_stored_(*appended, request);
  stored_ += pending_.arrivals();
  pending_.Clear();
  return {};
}

// Without a snapshot a full store cannot delete what was delivered, and an incomplete state gives
// none. So the state is restored once more; what is pending stays pending.
Status Committer::CompleteState() {
  REACHED("commit: the state is completed for a full store");
  auto [records, letters] = pending_.Take();
  Status status = FoldAnew();
  FoldIn(records, 0, records.size());
  for (DeadLetter& letter : letters) pending_.AddDeadLetter(std::move(letter));
  return status;
}

// Many large dead letters are refused together with the records. They are no part of the fold, so
// they go first and in parts, which costs the records nothing.
Status Committer::CommitLettersApart() {
  REACHED("commit: letters apart");
  std::vector<DeadLetter> letters = pending_.TakeLetters();
  const Status status = AppendLetters(letters);
  for (DeadLetter& letter : letters) pending_.AddDeadLetter(std::move(letter));
  return status.ok() && !pending_.empty() ? Append(Appending::kAll) : status;
}

// The store refuses everything together. So the fold is restored to what is stored, and the records
// follow in order, in parts that the store accepts. Rare, and each part that is refused costs what
// a restart costs.
Status Committer::CommitInParts() {
  REACHED("commit: in parts");
  auto [records, letters] = pending_.Take();
  size_t stored = 0;
  size_t folded = 0;
  Status status = AppendParts(records, stored, folded, letters);
  if (status.ok()) status = AppendLetters(letters);
  if (status.ok()) return status;
  // The rest stays pending, with the alerts of a part that was folded already.
  FoldIn(records, folded, records.size());
  for (DeadLetter& letter : letters) pending_.AddDeadLetter(std::move(letter));
  return status;
}

// A record that is refused alone can never be stored: it becomes one of the `letters`, and is no
// part of the fold either. The first `stored` records are done with; those from there to `folded`
// are pending.
Status Committer::AppendParts(const Pending::ArrivedRecords& records, size_t& stored,
                              size_t& folded, std::vector<DeadLetter>& letters) {
  size_t max_records = std::max<size_t>(1, records.size() / 2);
  Status status = FoldAnew();
  while (status.ok() && stored < records.size()) {
    const size_t end = EndOfPart(records, stored, max_records);
    CHECK(end > stored, "a part has a record");
    FoldIn(records, stored, folded = end);
    status = Append(Appending::kPart);
    if (status.ok()) {
      // Larger again: after a record that was refused alone, one fsync for each of the rest would
      // hold up the loop.
      max_records = 2 * (end - stored);
      stored = end;
      continue;
    }
    if (status.error().code != ErrorCode::kRejected) break;
    pending_.Clear();
    if (max_records = (end - stored) / 2; max_records == 0) {
      letters.push_back(TooLarge(records[stored++].first, status.error().message));
      max_records = 1;
    }
    folded = stored;
    status = FoldAnew();
  }
  return status;
}

Status Committer::FoldAnew() {
  CHECK(pending_.empty(), "the fold is restored while nothing is pending");
  folded_ = stored_;
  if (state_.RestoreFold()) return {};
  return Error{ErrorCode::kUnavailable, "read the state back from the store"};
}

void Committer::FoldIn(const Pending::ArrivedRecords& records, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    const auto& [record, arrival] = records[i];
    Add(Record(record), DecodedRecord(record), arrival);
  }
}

DeadLetter Committer::TooLarge(const Record& record, const std::string& reason) const {
  const std::string origin = RecordKey(record.tenant, record.asset);
  return MakeRecordLetter({"store", origin, reason, record.value}, clock_.Now());
}

// In parts as well; removes from `letters` what is done with.
Status Committer::AppendLetters(std::vector<DeadLetter>& letters) {
  size_t max_letters = letters.size();
  while (!letters.empty()) {
    const size_t count = std::min(max_letters, letters.size());
    const Status status = AppendLetters(std::span<const DeadLetter>(letters).first(count));
    if (!status.ok() && status.error().code != ErrorCode::kRejected) {
      return Error{ErrorCode::kUnavailable, status.error().message};
    }
    if (status.ok() || (count == 1 && !KeepHead(letters.front(), status.error().message))) {
      letters.erase(letters.begin(), letters.begin() + static_cast<std::ptrdiff_t>(count));
      max_letters = 2 * count;
    } else {
      max_letters = std::max<size_t>(1, count / 2);
    }
  }
  return {};
}

Status Committer::AppendLetters(std::span<const DeadLetter> letters) {
  AppendRequest request;
  request.dead_letters = letters;
  request.stamp = StampNow(clock_);
  appending_ = Appending::kPart;
  const auto appended = store_.Append(request);
  appending_ = Appending::kNothing;
  if (appended.ok() && on_stored_) on_stored_(*appended, request);
  return Status(appended);
}

// A letter that is refused alone loses its payload. False: it had none, so it is lost: an input
// must not wait for it for ever.
bool Committer::KeepHead(DeadLetter& letter, const std::string& reason) {
  if (!letter.payload.empty()) {
    DropPayload(letter);
    return true;
  }
  letters_lost_.Increment();
  if (const auto count = lost_log_.Count(clock_.SinceBoot())) {
    log_.Error("{} dead letter(s) lost, the last of input {}: {}", *count, letter.input, reason);
  }
  return false;
}

void Committer::RetryLater(const Error& error) {
  commit_failures_.Increment();
  if (const auto count = failed_log_.Count(clock_.SinceBoot())) {
    log_.Error("{} commit(s) failed, {} record(s) wait in memory and are not acknowledged: {}",
               *count, pending_.records(), error.message);
  }
  blocked_ = true;
  REACHED("commit: blocked");
  retry_timer_->After(retry_backoff_.Next());
}

void Committer::RetryIn(std::chrono::nanoseconds delay) {
  CHECK(blocked_, "a commit that failed is tried again");
  retry_timer_->After(delay);
}

std::optional<std::string> Committer::Snapshot() const {
  if (appending_ == Appending::kPart) return std::nullopt;
  if (appending_ == Appending::kNothing && !pending_.empty()) return std::nullopt;
  CHECK(folded_ == stored_ + pending_.arrivals(), "a snapshot covers exactly what is stored");
  return state_.Encode(input_names_);
}

}  // namespace tidegate
