// What SqliteStore does about a file that does not open or is damaged.
#include <algorithm>
#include <bit>
#include <memory>

#include "store/file/log_renewal.h"
#include "store/salvage/log_owner.h"
#include "store/salvage/salvage.h"
#include "store/sqlite_store_impl.h"

namespace tidegate {
namespace {

// How often opening fails before the file is read through for places that the medium no longer
// gives.
constexpr unsigned kAttempts = 4;
constexpr auto kSalvageRetry = std::chrono::seconds(30);

bool ReadsThrough(const std::string& path, const std::string& vfs) {
  for (const bool is_log : {false, true}) {
    auto file = FileBytes::Open(is_log ? path + "-wal" : path, vfs, is_log);
    if (!file.ok()) continue;
    std::array<char, 4096> block;
    for (uint64_t at = 0; at < (*file)->size(); at += block.size()) {
      const auto size = std::min<uint64_t>(block.size(), (*file)->size() - at);
      if (!(*file)->Read(at, std::span(block).first(size))) return false;
    }
  }
  return true;
}

}  // namespace

Status SqliteStore::Impl::Open() {
  if (auto status = FinishReplacement(options_.path); !status.ok()) return status;
  set_aside_ = UsageOf(ListSetAside(options_.path));
  auto status = RenewLog(options_.path);
  if (status.ok()) status = CheckLog();
  if (!status.ok()) return status;
  for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
    status = OpenFile();
    status = status.ok() ? Status() : Recover(status.error());
    if (status.ok()) failed_opens_ = 0;
    if (status.ok() || status.error().code == ErrorCode::kInvalid) return status;
  }
  return status;
}

Status SqliteStore::Impl::Recover(const Error& error) {
  DropHandle();
  ++failed_opens_;
  const bool unreadable = error.code == ErrorCode::kUnavailable && failed_opens_ >= kAttempts &&
                          std::has_single_bit(failed_opens_) &&
                          !ReadsThrough(options_.path, file_.vfs);
  if (error.code == ErrorCode::kInvalid) return error;
  // A single failed read can look like damage.
  const bool damaged = error.code == ErrorCode::kCorrupt && (failed_opens_ > 1 || !damage_.empty());
  if (!damaged && !unreadable) {
    return Error{ErrorCode::kUnavailable, error.message};
  }
  auto status = SalvageFile(error.message);
  if (!status.ok()) return status;
  status = OpenFile();
  if (status.ok()) status = RemoveUnacknowledged();
  if (status.ok()) status = ForgetMissing();
  if (status.ok()) return {};
  DropHandle();
  return Error{ErrorCode::kUnavailable, status.error().message};
}

Status SqliteStore::Impl::CheckLog() {
  switch (OwnerOfLog(options_.path, file_.vfs)) {
    case LogOwner::kOurs:
      return {};
    case LogOwner::kNobody:
      return SalvageFile("the database is empty, but its log is not");
    case LogOwner::kStranger:
      return SalvageFile("the log is that of another store", false);
  }
  return {};
}

Status SqliteStore::Impl::SalvageFile(const std::string& why, bool with_log) {
  if (clock_.SinceBoot() < salvage_retry_at_) return Error{ErrorCode::kUnavailable, why};
  const Seq next_seq = origin_.epoch.empty() ? 0 : book_.totals.next_seq;
  const auto report =
      Salvage({file_, origin_, options_.tenant, Stamp(), next_seq, with_log, why}, codec_);
  if (!report.ok()) {
    log_.Error("store: {}; it cannot be salvaged now: {}", why, report.error().message);
    if (report.error().code == ErrorCode::kInvalid) return report.error();
    salvage_retry_at_ = clock_.SinceBoot() + kSalvageRetry;
    return Error{ErrorCode::kUnavailable, report.error().message};
  }
  log_.Error(
      "store: {}; a new one has taken its place, {}. The old file is {}: `tidegate-agent export "
      "--file` shows what it holds; delete it when nobody needs it any more",
      why, report->Summary(), report->path);
  for (const std::string& path : TrimSetAside(options_.path, options_.max_bytes)) {
    log_.Warning("store: {} has been deleted to make room; what could be read of it had been moved",
                 path);
  }
  metrics_.CountSalvage();
  for (const LostSeqs& lost : report->lost) metrics_.CountDamaged(lost.record_class, lost.most);
  set_aside_ = UsageOf(ListSetAside(options_.path));
  damage_.clear();
  failed_opens_ = 0;
  salvage_retry_at_ = {};
  handed_out_.clear();
  return {};
}

}  // namespace tidegate
