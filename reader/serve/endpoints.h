// Answers from what the reader knows of itself, without the database: /health /healthz /readyz
// /metrics and the frame of /stats. Loop thread only; what workers post is read from the board.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/http/server.h"
#include "core/metrics.h"
#include "reader/land/status_board.h"

namespace tidegate::reader {

// A worker whose last turn began longer ago than this is stuck. It exceeds the sum of all time
// limits within one turn.
inline constexpr std::chrono::seconds kStuckAfter{180};

// The upkeep is never stuck: an index may take hours.
bool IsStuck(const MemberState& member, BootTime now);
// Returns why the reader is not healthy; empty: it is healthy. A restart would cure each problem.
std::vector<std::string> HealthProblems(const std::vector<MemberState>& workers, BootTime now);
// Returns why records cannot land at present; empty: they can.
std::vector<std::string> ReadinessProblems(const std::vector<MemberState>& workers);

// Returns which databases' records are parked, and why; everything else lands.
std::set<std::string> ParkedLanes(const std::vector<MemberState>& members);

class Endpoints {
 public:
  struct About {
    std::string version;
    // The landing's URI without its password.
    std::string landing;
  };

  // `board`, `metrics` and `clock` must outlive the endpoints.
  Endpoints(About about, const StatusBoard& board, const Metrics& metrics, const Clock& clock)
      : about_(std::move(about)),
        board_(board),
        metrics_(metrics),
        clock_(clock),
        started_(clock.SinceBoot()) {}

  // 200 with status `ok`, or 503 with status `unavailable`. `why` adds the problems, which name
  // topics and databases.
  http::Response Healthz(bool why) const;
  http::Response Readyz(bool why) const;
  http::Response MetricsText() const;
  // `everything` adds the workers, which name topics. `counts` is a JSON value; empty: the answer
  // has no counts.
  http::Response Stats(bool everything, const std::string& counts) const;

  // Records if the database answers the queries of the API. What it answers to the workers is read
  // from the board.
  void SetQueriesUp(bool up) { queries_up_ = up; }
  // True if every worker has a connected broker.
  bool kafka_up() const;
  // True if the database answers the queries and every worker.
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
