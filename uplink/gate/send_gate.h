// Says whether the uplink may send now, by byte budgets and send windows. Alerts and gaps pass a
// closed gate, and are counted. Budgets outlive restarts: use is charged in the store ahead of
// time, in slices, so that neither kill -9 nor a power cut refills any of it. Known loss: a crash
// wastes up to two slices of each budget. One thread.
//
// Invariants, each with the check that guards it:
//   - while the gate is open, the store has charged all that is used and in flight: Follow()
//   - the link's byte count never falls: Follow()
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "store/store.h"
#include "uplink/gate/byte_budget.h"
#include "uplink/gate/send_limits.h"

namespace tidegate {

struct SendGateStatus {
  struct Budget {
    BudgetLimit limit;
    // Bytes of the current period.
    uint64_t used = 0;
    // Time until the next period.
    std::chrono::seconds resets_in{0};
  };
  std::vector<Budget> budgets;
  std::vector<SendWindow> windows;
  bool window_open = true;
  // The clock has not been synchronised for so long that the windows do not count.
  bool windows_ignored = false;
  // Time until window_open changes, by the wall clock; nullopt: there are no windows, or the clock
  // is not synchronised.
  std::optional<std::chrono::seconds> window_changes_in;
  // Both budgets and windows allow sending.
  bool open = true;
  // Alerts and gaps that were sent while it was closed.
  uint64_t passed = 0;
};

class SendGate {
 public:
  struct Options {
    // At most one for each period; empty: no limit.
    std::vector<BudgetLimit> budgets;
    // Empty: always open.
    std::vector<SendWindow> windows;
    // Without a synchronised clock nobody knows whether it is night. The windows stay closed for
    // this time (most clocks are synchronised minutes after a start). Then they are ignored,
    // because records that are never sent are lost when the store is full.
    std::chrono::minutes unsynced_wait{60};
  };

  // Reads the earlier charges from the store. All references outlive the gate.
  SendGate(Options options, Store& store, const Clock& clock, const Log& log, Metrics& metrics);

  // Opens or closes the gate by the time and by the bytes that the link has carried since the
  // transport was made, both directions. Called in each step of the forwarder, before the calls
  // below. REQUIRES: link_bytes is not less than in the previous call.
  void Follow(uint64_t link_bytes);
  // Whether records that are not urgent may be sent.
  bool open() const { return room_ > 0; }
  // How many bytes of such records may be in flight, uncompressed. They are counted only when the
  // link has carried them, and must not exceed the limit then.
  uint64_t room() const { return room_; }
  // A record was sent although the gate is closed. REQUIRES: !open().
  void CountPassed();
  // Charges exactly what is used and in flight, in a store that was replaced.
  void ChargeUsed(uint64_t bytes_in_flight);
  // Charges the same for a stop. Afterwards the gate stays closed, and nothing is charged ahead.
  void Stop(uint64_t bytes_in_flight);

  // Time after which Follow() may give another answer by itself; nullopt: it never does.
  std::optional<std::chrono::nanoseconds> AskAgainIn() const;
  SendGateStatus status() const;

 private:
  struct Account {
    ByteBudget budget;
    // Bytes charged in the store.
    uint64_t charged = 0;
    Metrics::Gauge* used_gauge = nullptr;

    // The bytes that may be in flight, and that are charged at a time: small, because a crash
    // wastes up to two slices, and large enough for some 64 writes in a period.
    uint64_t slice() const;
  };

  // Reads the charges. Until that succeeds nobody knows what is left, and the gate is closed.
  void Load();
  void Restore(std::string_view stored);
  bool WindowOpen();
  // Makes sure that the store has charged what may be used before the next call. Returns false if
  // it cannot be written now.
  bool ChargeAhead();
  // Stores the result of `charge` for each account.
  Status Charge(const std::function<uint64_t(const Account&)>& charge);

  const Options options_;
  Store& store_;
  const Clock& clock_;
  const Log& log_;
  Metrics::Gauge& open_gauge_;
  Metrics::Counter& passed_;
  LogLimit store_limit_;
  std::vector<Account> accounts_;
  // The link's bytes that are counted.
  uint64_t counted_ = 0;
  uint64_t room_ = 0;
  bool loaded_ = false;
  bool stopped_ = false;
  bool window_open_ = true;
  bool windows_ignored_ = false;
  // When the clock was last seen synchronised; before that, the start.
  BootTime synced_at_;
  BootTime written_at_{0};
};

}  // namespace tidegate
