// Publishes a fleet's heartbeats at a given rate and waits for the acknowledgements. One thread;
// Run() blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "drivers/sim/fleet.h"
#include "drivers/sim/publisher.h"

namespace tidegate {

struct RunOptions {
  // Heartbeats a second of the whole fleet; 0: as fast as they are acknowledged.
  double rate = 10;
  // Heartbeats to publish; 0: until stopped.
  uint64_t count = 0;
  // If set, timestamps do not follow the clock: they begin here and advance by a second with each
  // round of the fleet.
  std::optional<WallTime> start;
  // The run fails if none of the pending acknowledgements arrives for this long.
  std::chrono::milliseconds give_up_after{60'000};
  // Once stopped, the run waits this long for pending acknowledgements.
  std::chrono::milliseconds stop_within{5'000};
};

struct RunResult {
  uint64_t published = 0;
  uint64_t acknowledged = 0;
  uint64_t refused = 0;
  std::chrono::milliseconds duration{0};
  // Everything was published, unless stopped, and everything published was acknowledged.
  bool complete = false;
  // Why the run is not complete; empty if it is.
  std::string problem;
};

class PublishRun {
 public:
  using Progress = std::function<void(const RunResult&)>;

  // The references outlive the run. `stopped` is asked before each step and ends the run when it
  // returns true; `progress` is called once a second.
  PublishRun(RunOptions options, Fleet& fleet, Publisher& publisher, const Clock& clock,
             std::function<bool()> stopped, Progress progress);

  RunResult Run();

 private:
  // Publishes what is due. Returns for how long nothing more will be.
  std::chrono::milliseconds PublishDue(BootTime now);
  bool Finished() const;
  // Returns why the run cannot continue; empty if it can.
  std::string Hopeless(BootTime now);
  WallTime Date() const;
  void Report(BootTime now);

  const RunOptions options_;
  Fleet& fleet_;
  Publisher& publisher_;
  const Clock& clock_;
  std::function<bool()> stopped_;
  Progress progress_;

  RunResult result_;
  BootTime begun_{};
  BootTime reported_{};
  BootTime last_progress_{};
  uint64_t last_answered_ = 0;
  std::optional<BootTime> stopped_at_;
  bool flushed_ = false;
};

}  // namespace tidegate
