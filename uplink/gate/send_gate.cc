#include "uplink/gate/send_gate.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/check.h"
#include "core/local_time.h"
#include "uplink/gate/budget_state.h"

namespace tidegate {

namespace {
using namespace std::chrono_literals;

constexpr std::string_view kValueName = "uplink-budget";
// Windows open and close on the minute, and the wall clock may be set at any time.
constexpr auto kAskAgain = 10s;
// While the clock is never synchronised, only the stored notes show how much of a period is over.
constexpr int kNotesPerPeriod = 24;
}  // namespace

uint64_t SendGate::Account::slice() const {
  const uint64_t bytes = budget.limit().bytes;
  return std::min(std::max<uint64_t>(bytes / 64, 32 * 1024), bytes / 8);
}

SendGate::SendGate(Options options, Store& store, const Clock& clock, const Log& log,
                   Metrics& metrics)
    : options_(std::move(options)),
      store_(store),
      clock_(clock),
      log_(log),
      open_gauge_(metrics.AddGauge("tidegate_uplink_open",
                                   "0 while a byte budget or a send window holds records back")),
      passed_(metrics.AddCounter("tidegate_uplink_passed_total",
                                 "Alerts and gaps sent although the uplink was held back")),
      synced_at_(clock.SinceBoot()) {
  for (const BudgetLimit& limit : options_.budgets) {
    const Metrics::Labels labels{{"period", std::string(limit.PeriodName())}};
    metrics.AddGauge("tidegate_uplink_budget_limit_bytes", "Bytes that a period allows", labels)
        .Set(static_cast<double>(limit.bytes));
    accounts_.push_back({.budget = ByteBudget(limit, clock),
                         .charged = 0,
                         .used_gauge = &metrics.AddGauge("tidegate_uplink_budget_used_bytes",
                                                         "Bytes used in this period", labels)});
  }
  Follow(0);
}

void SendGate::Load() {
  if (accounts_.empty()) return;
  const auto stored = store_.ReadValue(kValueName);
  loaded_ = stored.ok();
  if (!loaded_) {
    if (const auto count = store_limit_.Count(clock_.SinceBoot())) {
      log_.Error("uplink: the byte budget could not be read {} times, nothing is sent: {}", *count,
                 stored.error().message);
    }
    return;
  }
  if (*stored) Restore(**stored);
}

void SendGate::Restore(std::string_view stored) {
  const auto states = DecodeBudgets(stored);
  if (!states.ok()) {
    log_.Error("uplink: byte budget: {}; it counts as used up until the period is over",
               states.error().message);
    for (Account& account : accounts_) account.budget.Use(account.budget.left());
    return;
  }
  for (Account& account : accounts_) {
    const auto found = states->find(account.budget.limit().period);
    if (found == states->end()) continue;
    const uint64_t used_meanwhile = account.budget.used();
    account.budget.Restore(found->second);
    account.charged = account.budget.used();
    account.budget.Use(used_meanwhile);
  }
}

void SendGate::Follow(uint64_t link_bytes) {
  CHECK(link_bytes >= counted_, "the link's byte count never falls");
  const uint64_t moved = link_bytes - std::exchange(counted_, link_bytes);
  if (!loaded_) Load();
  window_open_ = WindowOpen();
  room_ = window_open_ ? std::numeric_limits<uint64_t>::max() : 0;
  for (Account& account : accounts_) {
    if (account.budget.Follow()) account.charged = 0;
    account.budget.Use(moved);
    account.used_gauge->Set(static_cast<double>(account.budget.used()));
    room_ = std::min({room_, account.budget.left(), account.slice()});
  }
  if (stopped_ || !ChargeAhead()) room_ = 0;
  for (const Account& account : accounts_) {
    CHECK(room_ == 0 || account.charged >= account.budget.used() + room_,
          "the charge covers what is used and may be in flight");
  }
  open_gauge_.Set(open() ? 1 : 0);
}

bool SendGate::WindowOpen() {
  if (options_.windows.empty()) return true;
  const BootTime now = clock_.SinceBoot();
  if (clock_.Synced()) synced_at_ = now;
  const bool ignored = now - synced_at_ >= options_.unsynced_wait;
  if (ignored && !windows_ignored_) {
    log_.Warning(
        "uplink: the clock has not been synchronised for {} minutes: send windows are "
        "ignored until it is",
        options_.unsynced_wait.count());
  }
  windows_ignored_ = ignored;
  if (!clock_.Synced()) return ignored;
  const auto time_of_day = LocalTimeOfDay(clock_.Now());
  return std::ranges::any_of(
      options_.windows, [&](const SendWindow& window) { return window.Contains(time_of_day); });
}

bool SendGate::ChargeAhead() {
  if (accounts_.empty()) return true;
  if (!loaded_) return false;
  const BootTime now = clock_.SinceBoot();
  const bool needed = std::ranges::any_of(accounts_, [&](const Account& account) {
    const BootTime note_after = BootTime(account.budget.limit().PeriodLength()) / kNotesPerPeriod;
    return account.charged < account.budget.used() + account.slice() ||
           (!account.budget.aligned() && now - written_at_ >= note_after);
  });
  if (!needed) return true;
  const Status status = Charge([](const Account& account) {
    return std::max(account.charged, account.budget.used() + 2 * account.slice());
  });
  if (status.ok()) return true;
  if (const auto count = store_limit_.Count(now)) {
    log_.Error("uplink: the byte budget could not be charged {} times, nothing is sent: {}", *count,
               status.error().message);
  }
  return false;
}

void SendGate::ChargeUsed(uint64_t bytes_in_flight) {
  // A charge that could not be read must not be overwritten.
  if (!loaded_) return;
  const Status status =
      Charge([&](const Account& account) { return account.budget.used() + bytes_in_flight; });
  if (!status.ok()) log_.Error("uplink: charge the byte budget: {}", status.error().message);
}

void SendGate::Stop(uint64_t bytes_in_flight) {
  stopped_ = true;
  room_ = 0;
  ChargeUsed(bytes_in_flight);
}

Status SendGate::Charge(const std::function<uint64_t(const Account&)>& charge) {
  BudgetStates states;
  for (const Account& account : accounts_) {
    states[account.budget.limit().period] = account.budget.Save(charge(account));
  }
  CHECK(states.size() == accounts_.size(), "a period has one budget");
  Status status = store_.WriteValue(kValueName, EncodeBudgets(states));
  if (!status.ok()) return status;
  for (Account& account : accounts_) account.charged = charge(account);
  written_at_ = clock_.SinceBoot();
  return {};
}

void SendGate::CountPassed() {
  CHECK(!open(), "a record passes a closed gate only");
  passed_.Increment();
}

std::optional<std::chrono::nanoseconds> SendGate::AskAgainIn() const {
  if (accounts_.empty() && options_.windows.empty()) return std::nullopt;
  return kAskAgain;
}

SendGateStatus SendGate::status() const {
  SendGateStatus status;
  for (const Account& account : accounts_) {
    const BootTime left = std::max(account.budget.ends() - clock_.SinceBoot(), BootTime(0));
    status.budgets.push_back({account.budget.limit(), account.budget.used(),
                              std::chrono::ceil<std::chrono::seconds>(left)});
  }
  status.windows = options_.windows;
  status.window_open = window_open_;
  status.windows_ignored = windows_ignored_;
  if (!options_.windows.empty() && clock_.Synced()) {
    status.window_changes_in = UntilChange(options_.windows, LocalTimeOfDay(clock_.Now()));
  }
  status.open = open();
  status.passed = static_cast<uint64_t>(passed_.Value());
  return status;
}

}  // namespace tidegate
