// A driver that does nothing and is never starved, for tests that offer messages to the inbox
// themselves.
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
