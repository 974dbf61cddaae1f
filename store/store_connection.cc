#include "store/store_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "store/file/log_renewal.h"
#include "store/file/schema.h"
#include "store/salvage/log_owner.h"
#include "store/salvage/replace_store.h"

namespace tidegate {
namespace {

// How often Start tries to open: then the probe has read the files.
constexpr unsigned kAttempts = 4;
constexpr auto kSalvageRetry = std::chrono::seconds(30);

StoreFile MakeFile(const SqliteStore::Options& options, const SizeBudget& budget,
                   const std::string& vfs) {
  StoreFile file;
  file.path = options.path;
  file.vfs = vfs;
  file.budget = budget;
  file.max_dead_letter_bytes = options.max_dead_letter_bytes != 0
                                   ? options.max_dead_letter_bytes
                                   : std::min<uint64_t>(options.max_bytes / 16, 16ull << 20);
  constexpr uint64_t kHeadBytes = DeadLetterTable::kMaxHeadBytes;
  CHECK(budget.row_bytes > kHeadBytes, "a letter without its payload fits an append");
  file.max_payload_bytes = std::min(budget.row_bytes - kHeadBytes, file.max_dead_letter_bytes / 2);
  file.sync_commits = options.durability == Durability::kPowerSafe;
  return file;
}

}  // namespace

StoreConnection::StoreConnection(const SqliteStore::Options& options, const SizeBudget& budget,
                                 FileLock lock, StoreBook& book, BatchCodec& codec,
                                 const Clock& clock, const Log& log, StoreMetrics& metrics,
                                 Loader load)
    : options_(options),
      book_(book),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      load_(std::move(load)),
      lock_(std::move(lock)),
      vfs_(options_.vfs),
      file_(MakeFile(options_, budget, vfs_.name())),
      origin_{options_.gateway, {}},
      salvages_({file_, options_.vfs, options_.gateway, options_.tenant, codec}, options_.max_bytes,
                clock, log, metrics),
      probe_(options_.path, file_.vfs) {}

Status StoreConnection::Start() {
  CHECK(!is_open() && is_new_, "a connection starts once");
  if (auto status = FinishReplacement(options_.path); !status.ok()) return status;
  set_aside_ = UsageOf(ListSetAside(options_.path));
  auto status = RenewLog(options_.path);
  if (status.ok()) status = CheckLog();
  if (!status.ok()) return status;
  for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
    status = EnsureOpen();
    if (status.ok() || status.error().code == ErrorCode::kInvalid) return status;
  }
  return status;
}

StoreHandle& StoreConnection::handle() const {
  CHECK(is_open(), "the file is open");
  return *handle_;
}

Status StoreConnection::EnsureOpen() {
  if (is_open()) return {};
  if (!damage_.empty()) return Recover({ErrorCode::kCorrupt, damage_});
  auto status = TryOpen();
  return status.ok() ? status : Recover(status.error());
}

Status StoreConnection::TryOpen() {
  CHECK(!is_open(), "one handle at a time is open");
  // Before anybody judges the log: the database must never be written from frames that the medium
  // may not have. With power lost in the middle of that, nothing would be left to mend it with.
  if (auto status = vfs_.WriteUnsyncedAgain(options_.path + "-wal"); !status.ok()) return status;
  auto handle = StoreHandle::Open(file_);
  if (!handle.ok()) return handle.error();
  handle_ = std::move(*handle);
  auto status = handle_->EmptyLog();
  // A reader that holds the log is no reason not to start. Later the log may hold a commit that
  // failed, which must be judged first.
  if (is_new_ && !status.ok() && status.error().code == ErrorCode::kFull) status = {};
  if (status.ok()) status = handle_->Check();
  if (status.ok() && is_new_) status = CheckEpoch();
  if (status.ok()) status = load_(*handle_, is_new_);
  if (status.ok() && is_new_) status = salvages_.Read(*handle_);
  if (!status.ok()) return status;
  if (std::exchange(wants_snapshot_, false)) book_.RequestSnapshot(options_.max_replay_batches);
  is_new_ = false;
  failed_opens_ = 0;
  return {};
}

Status StoreConnection::CheckEpoch() {
  auto epoch = ReadState(handle_->database(), kStateEpoch);
  if (!epoch.ok()) return epoch.error();
  if (!*epoch) {
    return Error{ErrorCode::kCorrupt, fmt::format("open {}: it has no epoch", options_.path)};
  }
  origin_.epoch = **epoch;
  return {};
}

Status StoreConnection::Recover(const Error& error) {
  DropHandle();
  ++failed_opens_;
  if (error.code == ErrorCode::kInvalid) return error;
  const bool unreadable = error.code == ErrorCode::kUnavailable && probe_.FindsDamage();
  // A single failed read can look like damage.
  const bool damaged = error.code == ErrorCode::kCorrupt && (failed_opens_ > 1 || !damage_.empty());
  if (!damaged && !unreadable) return Error{ErrorCode::kUnavailable, error.message};
  if (auto status = ReplaceFile(error.message); !status.ok()) return status;
  auto status = TryOpen();
  if (status.ok()) return {};
  DropHandle();
  return Error{ErrorCode::kUnavailable, status.error().message};
}

Error StoreConnection::Reopen(const Error& error) {
  metrics_.CountError();
  if (const auto count = error_limit_.Count(clock_.SinceBoot())) {
    log_.Error("store: {}; closing, opening and checking it ({} such errors)", error.message,
               *count);
  }
  DropHandle();
  const bool unreadable = error.code == ErrorCode::kUnavailable && probe_.FindsDamage();
  if (error.code == ErrorCode::kCorrupt || unreadable) damage_ = error.message;
  (void)EnsureOpen();  // If it fails, the next call tries again.
  return {ErrorCode::kUnavailable, error.message};
}

Status StoreConnection::CheckLog() {
  switch (OwnerOfLog(options_.path, file_.vfs)) {
    case LogOwner::kOurs:
      return {};
    case LogOwner::kNobody:
      return ReplaceFile("the database is empty, but its log is not");
    case LogOwner::kStranger:
      return ReplaceFile("the log is that of another store", false);
  }
  return {};
}

Status StoreConnection::ReplaceFile(const std::string& why, bool with_log) {
  CHECK(!is_open(), "nobody has a file open that is replaced");
  if (clock_.SinceBoot() < salvage_retry_at_) return Error{ErrorCode::kUnavailable, why};
  const bool in_use = !origin_.epoch.empty();
  ReplaceOrder order{file_, StampNow(clock_).wall, {}, {}, salvages_.jobs()};
  order.job.why = why;
  order.job.epoch = origin_.epoch;
  order.job.with_log = with_log ? 1 : 0;
  if (in_use) {
    order.totals.next_seq = order.job.end_seq = book_.next_seq();
    order.totals.delivered = book_.contents().totals.delivered;
    order.job.end_is_exact = 1;
  }
  auto job = ReplaceStore(order);
  if (!job.ok()) {
    log_.Error("store: {}; it cannot be replaced now: {}", why, job.error().message);
    if (job.error().code == ErrorCode::kInvalid) return job.error();
    salvage_retry_at_ = clock_.SinceBoot() + kSalvageRetry;
    return Error{ErrorCode::kUnavailable, job.error().message};
  }
  wants_snapshot_ = in_use && !salvages_.Blocks(book_.contents());
  salvages_.Add(*std::move(job), wants_snapshot_, book_.delivered());
  CountSetAside();
  is_new_ = true;
  damage_.clear();
  failed_opens_ = 0;
  salvage_retry_at_ = {};
  probe_.Reset();
  vfs_.ForgetUnsynced(options_.path + "-wal");
  book_.ForgetHandedOut();
  return {};
}

void StoreConnection::CountSetAside() {
  if (salvages_.TakeChanged()) set_aside_ = UsageOf(ListSetAside(options_.path));
}

void StoreConnection::DropHandle() {
  if (handle_ != nullptr) handle_->KeepLogOnClose();
  handle_.reset();
}

}  // namespace tidegate
