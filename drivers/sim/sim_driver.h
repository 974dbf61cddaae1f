// A simulated fleet as an input, for demonstrations and benches. Loop thread only.
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
  void Settled(Ticket last) override { settled_ = last; }
  // Goes on at the configured rate; what it would have sent in the meantime is not made up for.
  void Resume() override;
  bool Starved() const override { return false; }
  DriverStatus status() const override;

 private:
  void OnTick();
  // False: no room; the heartbeat waits in `held_`.
  bool OfferNext();
  bool finished() const { return options_.count != 0 && offered_ >= options_.count; }

  const SimOptions options_;
  const Clock& clock_;
  Fleet fleet_;
  Inbox* inbox_ = nullptr;  // From Start() to Stop().
  BootTime due_{};          // When the next heartbeat is.
  BootTime interval_{};
  std::optional<Heartbeat> held_;
  Ticket offered_ = 0;
  Ticket settled_ = 0;
  std::unique_ptr<Timer> tick_;
};

}  // namespace tidegate
