// A simulated fleet as an input, for demonstrations and benches. Loop thread only.
//
// Known loss: there is no source that could send again; a crash loses what is not settled.
// Invariants, checked in sim_driver.cc: settled <= accepted tickets; at most one heartbeat is held,
// and no other is offered before it.
#pragma once

#include <memory>
#include <optional>

#include "core/clock.h"
#include "drivers/driver.h"
#include "drivers/sim/fleet.h"
#include "drivers/sim/sim_options.h"

namespace tidegate {

class SimDriver final : public Driver {
 public:
  SimDriver(SimOptions options, const Clock& clock);
  ~SimDriver() override;

  Status Start(Loop& loop, Inbox& inbox) override;
  void Stop() override;
  void Settled(Ticket last) override;
  // Continues at the configured rate. What was due in the meantime is skipped, apart from the last
  // second's.
  void Resume() override;
  bool Starved() const override { return false; }
  DriverStatus status() const override;

 private:
  void OnTick();
  // False: the inbox has no room, and the heartbeat is kept in held_.
  bool OfferNext();
  bool finished() const { return options_.count != 0 && accepted_ >= options_.count; }

  const SimOptions options_;
  const Clock& clock_;
  Fleet fleet_;
  // From Start() to Stop().
  Inbox* inbox_ = nullptr;
  // When the next heartbeat is due, and the time between two. Zero: as many as there is room for.
  BootTime due_{};
  BootTime interval_{};
  std::optional<Heartbeat> held_;
  Ticket accepted_ = 0;
  Ticket settled_ = 0;
  std::unique_ptr<Timer> tick_;
};

}  // namespace tidegate
