// What the reader answers over HTTP: /metrics /healthz /readyz /health /stats. Main thread.
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/http/server.h"
#include "core/metrics.h"
#include "reader/status_board.h"

namespace tidegate::reader {

// A worker that has not come round for this long is stuck: longer than all time limits of one turn
// together.
inline constexpr std::chrono::seconds kStuckAfter{180};

// Why the reader is not healthy; empty: it is. Unhealthy means that a restart is the cure.
std::vector<std::string> HealthProblems(const std::vector<WorkerState>& workers, BootTime now);
// Why it lands nothing just now; empty: it lands what comes.
std::vector<std::string> ReadinessProblems(const std::vector<WorkerState>& workers);

class Endpoints {
 public:
  struct About {
    std::string version;
    std::string landing;  // Without its password.
  };

  // All of them must outlive the endpoints.
  Endpoints(About about, const StatusBoard& board, const Metrics& metrics, const Clock& clock)
      : about_(std::move(about)),
        board_(board),
        metrics_(metrics),
        clock_(clock),
        started_(clock.SinceBoot()) {}

  http::Response Answer(const http::Request& request) const;

 private:
  http::Response Stats() const;

  const About about_;
  const StatusBoard& board_;
  const Metrics& metrics_;
  const Clock& clock_;
  const BootTime started_;
};

}  // namespace tidegate::reader
