#include "store/salvages.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/check.h"
#include "store/file/schema.h"
#include "store/salvage/set_aside.h"

namespace tidegate {
namespace {

// After an error: the disk is full or unreadable, or the store is closed.
constexpr auto kRetry = std::chrono::seconds(5);

}  // namespace

Salvages::Salvages(const Salvage::Context& context, uint64_t max_aside_bytes, const Clock& clock,
                   const Log& log, StoreMetrics& metrics)
    : context_(context),
      max_aside_bytes_(max_aside_bytes),
      clock_(clock),
      log_(log),
      metrics_(metrics) {}

void Salvages::Add(SalvageJob job, bool fold_is_live, BatchSet delivered) {
  log_.Error(
      "store: {}; a new one has taken its place. What can be read of the old file, {}, is being "
      "moved into it",
      job.why, context_.file.path + job.aside_name);
  metrics_.CountSalvage();
  salvages_.push_back(
      std::make_unique<Salvage>(context_, std::move(job), fold_is_live, std::move(delivered)));
  changed_ = true;
  UpdateMetrics();
  if (on_work_) on_work_();
}

Status Salvages::Read(StoreHandle& handle) {
  const auto rows = ReadStates(handle.database(), kStateSalvagePrefix);
  if (!rows.ok()) return rows.error();
  for (const auto& [name, body] : *rows) {
    const bool known = std::ranges::any_of(
        salvages_, [&row = name](const auto& salvage) { return salvage->job().RowName() == row; });
    if (known) continue;
    auto job = DecodeSalvageJob(name, body);
    if (!job.ok()) {
      log_.Error("store: {}; the file stays as it is", job.error().message);
      if (auto status = DeleteState(handle.database(), name); !status.ok()) return status;
      continue;
    }
    log_.Warning("store: the old file {} is being moved on with",
                 context_.file.path + job->aside_name);
    // Names sort by age, so that the newest comes last.
    const auto position = std::ranges::upper_bound(
        salvages_, job->aside_name, {}, [](const auto& other) { return other->job().aside_name; });
    salvages_.insert(position,
                     std::make_unique<Salvage>(context_, *std::move(job), false, BatchSet()));
  }
  UpdateMetrics();
  if (!salvages_.empty() && on_work_) on_work_();
  return {};
}

bool Salvages::Blocks(const StoreContents& contents) const {
  return std::ranges::any_of(salvages_,
                             [&](const auto& salvage) { return salvage->Blocks(contents); });
}

Seq Salvages::SendableThrough(RecordClass record_class) const {
  Seq through = std::numeric_limits<Seq>::max();
  for (const auto& salvage : salvages_) {
    through = std::min(through, salvage->job().SendableThrough(record_class));
  }
  return through;
}

std::vector<SalvageJob> Salvages::jobs() const {
  std::vector<SalvageJob> jobs;
  for (const auto& salvage : salvages_) jobs.push_back(salvage->job());
  return jobs;
}

unsigned Salvages::percent() const {
  CHECK(!empty(), "a salvage is under way");
  return static_cast<unsigned>(salvages_.back()->progress() * 100);
}

std::optional<std::chrono::nanoseconds> Salvages::Step(SalvageTarget& target, BootTime deadline) {
  if (empty()) return std::nullopt;
  Salvage* const salvage = salvages_.back().get();
  StepLimit limit(clock_, deadline);
  const auto status = salvage->Step(target, limit);
  if (!status.ok()) {
    if (const auto count = error_limit_.Count(clock_.SinceBoot())) {
      log_.Error("store: {}; moving the old file {} is tried again ({} such errors)",
                 status.error().message, salvage->path(), *count);
    }
    return kRetry;
  }
  if (salvage->is_done()) {
    Finish(*salvage);
    std::erase_if(salvages_, [&](const auto& known) { return known.get() == salvage; });
  }
  UpdateMetrics();
  if (empty()) return std::nullopt;
  return std::chrono::nanoseconds::zero();
}

void Salvages::Finish(const Salvage& salvage) {
  log_.Error(
      "store: the old file {} has been read, {}: `tidegate-agent export --file` shows what it "
      "holds; delete it when nobody needs it any more",
      salvage.path(), salvage.job().Summary());
  for (const std::string& path : TrimSetAside(context_.file.path, max_aside_bytes_)) {
    log_.Warning("store: {} has been deleted to make room; what could be read of it had been moved",
                 path);
  }
  changed_ = true;
}

void Salvages::UpdateMetrics() {
  metrics_.SetSalvage(salvages_.size(), empty() ? 1 : salvages_.back()->progress());
}

}  // namespace tidegate
