// What the reader tells of itself over HTTP: /metrics /healthz /readyz /health /stats. Main thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/http/server.h"
#include "core/metrics.h"
#include "reader/land/status_board.h"

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

  // `why`: with the reasons, which name topics and databases. 503 with status `unavailable`.
  http::Response Healthz(bool why) const;
  http::Response Readyz(bool why) const;
  http::Response MetricsText() const;
  // `everything`: the workers too, which name topics. `counts` is JSON; empty: none.
  http::Response Stats(bool everything, const std::string& counts) const;

  // Whether queries get answers; a process that lands knows of the database from its workers too.
  void SetQueriesUp(bool up) { queries_up_ = up; }
  bool kafka_up() const;
  bool database_up() const;
  const std::string& version() const { return about_.version; }
  std::chrono::seconds uptime() const;

 private:
  http::Response Verdict(const std::vector<std::string>& problems, bool why) const;

  const About about_;
  const StatusBoard& board_;
  const Metrics& metrics_;
  const Clock& clock_;
  const BootTime started_;
  bool queries_up_ = true;
};

}  // namespace tidegate::reader
