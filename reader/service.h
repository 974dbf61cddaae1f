// The running reader: one thread for each member of a consumer group that its roles require, and an
// event loop on the main thread for signals, HTTP and the service manager. All methods are called
// on the main thread. Stopping loses nothing: what a member has not landed is consumed again.
//
// Invariant: running_ is the number of members' threads that have not reported their end; each
// reports it once (checked in OnMemberEnded()).
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
#include "reader/consume/parking.h"
#include "reader/consume/source.h"
#include "reader/database/document_store.h"
#include "reader/database/projection_store.h"
#include "reader/enrich/enrichment.h"
#include "reader/land/index_requests.h"
#include "reader/land/member.h"
#include "reader/land/status_board.h"
#include "reader/project/projector_metrics.h"
#include "reader/serve/api.h"
#include "reader/serve/endpoints.h"

namespace tidegate::reader {

// Make the parts of members. They are called on the main thread; afterwards only the member's
// thread uses the part.
struct Factories {
  std::function<Result<std::unique_ptr<Source>>(size_t worker)> source;
  // Makes a member of the projectors' consumer group.
  std::function<Result<std::unique_ptr<Source>>(size_t projector)> projecting_source;
  std::function<Result<std::unique_ptr<DocumentStore>>()> store;
  std::function<Result<std::unique_ptr<ProjectionStore>>()> projections;
  std::function<std::unique_ptr<DeadLetters>()> dead_letters;
  // The store of a worker; no function: as any other.
  std::function<Result<std::unique_ptr<DocumentStore>>()> writer = {};
  // The store of the upkeep, whose calls may take long; no function: as any other.
  std::function<Result<std::unique_ptr<DocumentStore>>()> upkeep_store = {};
  // The parking topic, and a member of the group that lands what is parked. No function: nothing is
  // parked.
  std::function<std::unique_ptr<Parking>()> parking = {};
  std::function<Result<std::unique_ptr<Source>>()> parked_source = {};
  // No function, or a result of nullptr: nothing is enriched.
  std::function<Result<std::unique_ptr<Enrichment>>(Metrics& metrics)> enrichment = {};
  // Called on a query thread instead, one call at a time.
  QueryPool::NewStore queries;
};

class Service {
 public:
  struct Options {
    std::string version;
    // How long the members may take to land the messages they have polled. After that the process
    // ends without waiting for them, and these messages are consumed again.
    std::chrono::seconds drain{40};
  };

  // REQUIRES: `config` has no problems. The service refers to `config`, `clock` and `log`.
  Service(Options options, const Config& config, const Clock& clock, const Log& log);
  ~Service();

  // Blocks SIGTERM, SIGINT and SIGHUP in this thread and all threads that are started later, opens
  // the HTTP port, and starts the members. Does not wait for brokers or databases. An error is
  // final: a setting cannot work, the port is in use, or the process has no resources left.
  // REQUIRES: called once.
  Status Start(const Factories& factories);
  // Rereads the lists that may change on SIGHUP and when their files change. Runs until SIGTERM,
  // SIGINT, POST /shutdown, or until a member ends by itself. Returns the exit
  // code of the program: 1 if a member or the loop failed, else 0. REQUIRES: Start() succeeded.
  int Run();

  // Returns 0 if HTTP is off.
  uint16_t http_port() const { return http_ ? http_->port() : 0; }

 private:
  struct Crew;

  Status MakeMembers(const Factories& factories);
  Status MakeWorker(const Factories& factories, size_t number);
  Status MakeProjector(const Factories& factories, size_t number);
  Status MakeUnparker(const Factories& factories);
  Status MakeUpkeep(const Factories& factories);
  // Adds the crew and its row on the board, and returns the row's place.
  size_t Enlist(std::unique_ptr<Crew> crew, MemberState state);
  // Makes a crew with the parts that all kinds of members need. Without `open_store` its store is
  // as any other.
  using OpenStore = std::function<Result<std::unique_ptr<DocumentStore>>()>;
  Result<std::unique_ptr<Crew>> NewCrew(const Factories& factories, std::string name,
                                        const OpenStore& open_store);
  Status OpenApi(const Factories& factories);
  Status OpenHttp();
  Status WatchSignals();
  void RunMember(Crew& crew);
  void OnSignal();
  // Reads the lists that may change, and puts them in force.
  void Reload();
  void OnMemberEnded();
  void BeginStop();
  void OnTick();
  std::string StatusLine(const std::vector<MemberState>& workers) const;

  const Options options_;
  const Config& config_;
  const Clock& clock_;
  const Log& log_;
  Metrics metrics_;
  ReaderMetrics reader_metrics_;
  ProjectorMetrics projector_metrics_;
  StatusBoard board_;
  LiveLists lists_;
  // Why the last reload was refused; empty: it was not.
  std::string reload_problem_;
  Decoder decoder_;
  Endpoints endpoints_;
  std::unique_ptr<SdEventLoop> loop_;

  std::unique_ptr<Enrichment> enrichment_;
  IndexRequests index_requests_;
  std::vector<std::unique_ptr<Crew>> crews_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};
  // An eventfd that counts the members' threads that have ended.
  UniqueFd ended_;
  UniqueFd signals_;
  size_t running_ = 0;
  bool failed_ = false;

  // Destroyed in reverse order: the server first, which answers the clients that still wait, then
  // the API, then the query threads.
  std::unique_ptr<QueryPool> queries_;
  std::unique_ptr<QueryPool> probes_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<FdWatch> signal_watch_;
  std::unique_ptr<FdWatch> ended_watch_;
  std::unique_ptr<Timer> tick_;
  std::unique_ptr<Timer> drain_limit_;
};

}  // namespace tidegate::reader
