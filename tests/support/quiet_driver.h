// A driver for tests that offer messages themselves: does nothing, and is never starved.
#pragma once

#include "drivers/driver.h"

namespace tidegate {

class QuietDriver final : public Driver {
 public:
  Status Start(Loop&, Inbox&) override { return {}; }
  void Stop() override {}
  void Settled(Ticket) override {}
  void Resume() override {}
  bool Starved() const override { return false; }
  DriverStatus status() const override { return {}; }
};

}  // namespace tidegate
