// Says whether the uplink may send now: byte budgets and send windows, and what they have come to.
// Alerts and gaps pass it, and are counted. Budgets outlive restarts: what is used is charged in
// the store ahead of time, in slices, so that neither kill -9 nor a power cut gives any of it back.
// One thread.
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
#include "uplink/byte_budget.h"
#include "uplink/send_limits.h"

namespace tidegate {

struct SendGateStatus {
  struct Budget {
    BudgetLimit limit;
    uint64_t used = 0;
    std::chrono::seconds resets_in{0};
  };
  std::vector<Budget> budgets;
  std::vector<SendWindow> windows;
  bool window_open = true;
  // The clock has not been synchronised for so long that windows are no longer waited for.
  bool windows_ignored = false;
  // Until a window opens or closes, by the clock as it is; nullopt without windows.
  std::optional<std::chrono::seconds> window_changes_in;
  bool open = true;     // Of both together.
  uint64_t passed = 0;  // Alerts and gaps that were sent although it was closed.
};

class SendGate {
 public:
  struct Options {
    std::vector<BudgetLimit> budgets;  // One for each period at most; empty: no limit.
    std::vector<SendWindow> windows;   // Empty: always.
    // Without a synchronised clock nobody knows whether it is night. So long the windows stay
    // closed (most clocks are synchronised minutes after a start); then they are ignored, because
    // records that never leave are lost when the store is full.
    std::chrono::minutes unsynced_wait{60};
  };

  // Reads what was charged before from `store`, which outlives the gate.
  SendGate(Options options, Store& store, const Clock& clock, const Log& log, Metrics& metrics);

  // Takes in what the link has carried since the process began, both directions, and the time. Once
  // a step of the forwarder, before the questions below.
  void Follow(uint64_t link_bytes);
  // Whether records that are not urgent may be sent.
  bool open() const { return room_ > 0; }
  // How many bytes of them may be on their way, uncompressed: they are not counted before they have
  // gone over the link, and must not come over the limit then.
  uint64_t room() const { return room_; }
  // A record was sent although the gate is closed.
  void CountPassed();
  // Charges exactly what is used and on its way: for a store that is new.
  void ChargeUsed(uint64_t bytes_in_flight);
  // The same for a stop. From here on nothing is charged ahead, and the gate stays closed.
  void Stop(uint64_t bytes_in_flight);

  // When to ask again; nullopt: never.
  std::optional<std::chrono::nanoseconds> AskAgainIn() const;
  SendGateStatus status() const;

 private:
  struct Account {
    ByteBudget budget;
    uint64_t charged = 0;  // In the store.
    Metrics::Gauge* used_gauge = nullptr;

    // What may be on its way, and what is charged at a time: small enough that a crash, which loses
    // two of them at most, hurts little, and large enough that a period is some 64 writes.
    uint64_t slice() const;
  };

  // Until the store could be read, nobody knows what is left: the gate is closed.
  void Load();
  void Restore(std::string_view stored);
  bool WindowOpen();
  // Makes sure that the store has charged what may be used before the next call. False: it cannot
  // be written now.
  bool ChargeAhead();
  // Stores what `charge` says of each account.
  Status Charge(const std::function<uint64_t(const Account&)>& charge);

  const Options options_;
  Store& store_;
  const Clock& clock_;
  const Log& log_;
  Metrics::Gauge& open_gauge_;
  Metrics::Counter& passed_;
  LogLimit store_limit_;
  std::vector<Account> accounts_;
  uint64_t counted_ = 0;  // Of the link's bytes.
  uint64_t room_ = 0;
  bool loaded_ = false;
  bool stopped_ = false;
  bool window_open_ = true;
  bool windows_ignored_ = false;
  BootTime synced_at_;  // When the clock was last seen synchronised, or the start.
  BootTime written_at_{0};
};

}  // namespace tidegate
