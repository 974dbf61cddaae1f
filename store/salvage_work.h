// The work that a store has after it has replaced a damaged file: what can be read of that is moved
// into the store in steps, which the owner of the loop calls. One thread, the store's.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "core/clock.h"

namespace tidegate {

class SalvageWork {
 public:
  virtual ~SalvageWork() = default;

  // False after a start on a damaged file, until the steps have moved what restores the fold: every
  // call of the store returns kUnavailable. A file that is damaged later does not make it false.
  virtual bool IsReady() const = 0;
  // True while the contents of a damaged file are being moved into the store. Store::Next does not
  // overtake them; all other calls work as ever.
  virtual bool IsSalvaging() const = 0;
  // Moves some more, in at most one transaction; ends soon after `deadline`. A killed process goes
  // on from its last step. Returns how long to wait before the next step; nullopt: all is moved.
  // More batches may be ready for Store::Next then.
  virtual std::optional<std::chrono::nanoseconds> StepSalvage(BootTime deadline) = 0;
  // `on_salvage` is called, from within any call of the store, when a salvage begins; it must not
  // call the store.
  virtual void OnSalvage(std::function<void()> on_salvage) = 0;
};

}  // namespace tidegate
