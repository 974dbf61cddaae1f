// The running reader: one thread for each member of a consumer group that its roles ask for, and
// the main thread's loop for signals, HTTP and the service manager.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/http/server.h"
#include "core/log.h"
#include "core/loop/sd_event_loop.h"
#include "core/metrics.h"
#include "core/unique_fd.h"
#include "reader/config/config.h"
#include "reader/consume/dead_letters.h"
#include "reader/consume/source.h"
#include "reader/database/document_store.h"
#include "reader/database/projection_store.h"
#include "reader/enrich/enrichment.h"
#include "reader/land/member.h"
#include "reader/land/status_board.h"
#include "reader/project/projector_metrics.h"
#include "reader/serve/api.h"
#include "reader/serve/endpoints.h"

namespace tidegate::reader {

// What a member is made of. Called on the main thread; what it returns then belongs to the member's
// thread.
struct Factories {
  std::function<Result<std::unique_ptr<Source>>(size_t worker)> source;
  // Of the projecting group.
  std::function<Result<std::unique_ptr<Source>>(size_t projector)> projecting_source;
  std::function<Result<std::unique_ptr<DocumentStore>>()> store;
  std::function<Result<std::unique_ptr<ProjectionStore>>()> projections;
  std::function<std::unique_ptr<DeadLetters>()> dead_letters;
  // nullptr: nothing is enriched.
  std::function<Result<std::unique_ptr<Enrichment>>(Metrics& metrics)> enrichment = {};
  // On a query thread, one call at a time.
  QueryPool::NewStore queries;
};

class Service {
 public:
  struct Options {
    std::string version;
    // How long the members may take to land what they have in hand. After that the process ends
    // without them; what they had comes again.
    std::chrono::seconds drain{40};
  };

  Service(Options options, const Config& config, const Clock& clock, const Log& log);
  ~Service();

  // Blocks SIGTERM and SIGINT in this thread and all that come after it, opens the HTTP port,
  // starts what the roles say. Waits for neither broker nor database.
  Status Start(const Factories& factories);
  // Until SIGTERM or SIGINT, or until a member has given up. The program's exit code.
  int Run();

  // 0 if HTTP is off.
  uint16_t http_port() const { return http_ ? http_->port() : 0; }

 private:
  struct Crew;

  Status MakeMembers(const Factories& factories);
  Status MakeWorker(const Factories& factories, size_t number);
  Status MakeProjector(const Factories& factories, size_t number);
  // A crew with what both kinds of members need.
  Result<std::unique_ptr<Crew>> NewCrew(const Factories& factories, std::string name,
                                        Result<std::unique_ptr<Source>> source);
  Status OpenApi(const Factories& factories);
  Status OpenHttp();
  Status WatchSignals();
  void RunMember(Crew& crew);
  void OnSignal();
  void OnMemberEnded();
  void BeginStop();
  void OnTick();
  std::string StatusLine(const std::vector<WorkerState>& workers) const;

  const Options options_;
  const Config& config_;
  const Clock& clock_;
  const Log& log_;
  Metrics metrics_;
  ReaderMetrics reader_metrics_;
  ProjectorMetrics projector_metrics_;
  StatusBoard board_;
  Decoder decoder_;
  Endpoints endpoints_;
  std::unique_ptr<SdEventLoop> loop_;

  std::unique_ptr<Enrichment> enrichment_;
  std::vector<std::unique_ptr<Crew>> crews_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};
  UniqueFd ended_;  // An eventfd: how many members' threads are through.
  UniqueFd signals_;
  size_t running_ = 0;
  bool failed_ = false;

  // The server goes first: it answers those who still wait. Then the API, then its threads.
  std::unique_ptr<QueryPool> queries_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<FdWatch> signal_watch_;
  std::unique_ptr<FdWatch> ended_watch_;
  std::unique_ptr<Timer> tick_;
  std::unique_ptr<Timer> drain_limit_;
};

}  // namespace tidegate::reader
