// Paces a fleet into a publisher and waits for the acknowledgements. One thread.
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
  double rate = 10;  // Heartbeats a second of the whole fleet; 0: as fast as they are acknowledged.
  uint64_t count = 0;  // 0: until stopped.
  // Given: timestamps begin here and go on by a second with each round of the fleet, whatever the
  // clock says.
  std::optional<WallTime> start;
  std::chrono::milliseconds give_up_after{
      60'000};  // Without any acknowledgement while some are due.
  std::chrono::milliseconds stop_within{
      5'000};  // For the acknowledgements that are due when stopped.
};

struct RunResult {
  uint64_t published = 0;
  uint64_t acknowledged = 0;
  uint64_t refused = 0;
  std::chrono::milliseconds duration{0};
  bool complete = false;  // All were published, unless stopped, and all of those acknowledged.
  std::string problem;    // Why not.
};

class PublishRun {
 public:
  using Progress = std::function<void(const RunResult&)>;

  // Everything outlives the run. `stopped` is asked all the time; `progress` is called once a
  // second.
  PublishRun(RunOptions options, Fleet& fleet, Publisher& publisher, const Clock& clock,
             std::function<bool()> stopped, Progress progress);

  RunResult Run();

 private:
  // Publishes what is due; how long there is nothing to publish.
  std::chrono::milliseconds PublishDue(BootTime now);
  bool Finished() const;
  // Why the run cannot go on; empty if it can.
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
  uint64_t last_settled_ = 0;
  std::optional<BootTime> stopped_at_;
  bool flushed_ = false;
};

}  // namespace tidegate
