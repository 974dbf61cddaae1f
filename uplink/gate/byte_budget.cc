#include "uplink/gate/byte_budget.h"

#include <algorithm>

#include "core/check.h"
#include "core/local_time.h"

namespace tidegate {

namespace {
// Hours are the same in all zones but a few, and have no daylight saving time.
WallTime EndOfPeriod(BudgetLimit::Period period, WallTime now) {
  if (period == BudgetLimit::Period::kDay) return NextLocalMidnight(now);
  return std::chrono::floor<std::chrono::hours>(now) + std::chrono::hours(1);
}
}  // namespace

ByteBudget::ByteBudget(BudgetLimit limit, const Clock& clock) : limit_(limit), clock_(clock) {
  Begin();
}

void ByteBudget::Restore(const State& state) {
  used_ = state.charged;
  ends_wall_ = state.ends_wall;
  const BootTime now = clock_.SinceBoot();
  const bool same_boot = state.boot_id == clock_.BootId();
  const BootTime left = same_boot ? state.ends - now : state.left;
  ends_ = now + std::clamp(left, BootTime(0), BootTime(limit_.PeriodLength()));
  aligned_ = same_boot && ends_wall_.has_value();
  Follow();
}

void ByteBudget::Use(uint64_t bytes) {
  used_ += bytes;
  CHECK(used_ >= bytes, "the used bytes do not overflow");
}

ByteBudget::State ByteBudget::Save(uint64_t charged) const {
  CHECK(charged >= used_, "the charge covers what is used");
  const BootTime left = std::max(ends_ - clock_.SinceBoot(), BootTime(0));
  return {clock_.BootId(), ends_, left, ends_wall_, charged};
}

bool ByteBudget::Follow() {
  if (!aligned_ && clock_.Synced()) Align();
  if (clock_.SinceBoot() < ends_) return false;
  Begin();
  return true;
}

void ByteBudget::Begin() {
  used_ = 0;
  ends_ = clock_.SinceBoot() + limit_.PeriodLength();
  ends_wall_.reset();
  aligned_ = false;
  if (clock_.Synced()) Align();
}

// Makes the period shorter, never longer.
void ByteBudget::Align() {
  const WallTime now = clock_.Now();
  if (!ends_wall_) ends_wall_ = EndOfPeriod(limit_.period, now);
  const BootTime left = std::max(*ends_wall_ - now, std::chrono::milliseconds(0));
  ends_ = std::min(ends_, clock_.SinceBoot() + left);
  aligned_ = true;
}

}  // namespace tidegate
