#include "reader/service.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>

#include "core/check.h"
#include "reader/database/landing.h"
#include "reader/database/tenancy.h"
#include "reader/land/upkeep.h"
#include "reader/park/unparker.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

// How long a member waits for a message. It notices a stop after this time at the latest.
constexpr milliseconds kPatience{200};
constexpr std::chrono::seconds kTick{2};
// How long the last member may take when all others have ended.
constexpr std::chrono::seconds kUpkeepDrain{5};

// The workers, the projectors, the upkeep, and a member that lands what is parked.
size_t MembersOf(const Config& config) {
  const size_t landing = config.workers + 1 + (config.parking_topic.empty() ? 0 : 1);
  return (config.roles.land ? landing : 0) + (config.roles.project ? config.project_workers : 0);
}

Error SystemError(std::string_view operation) {
  return {ErrorCode::kUnavailable, fmt::format("{}: {}", operation, std::strerror(errno))};
}
}  // namespace

// A member and the parts that only it uses, in the order in which they are made. The member is
// destroyed first.
struct Service::Crew {
  std::string name;
  std::unique_ptr<DocumentStore> store;
  std::unique_ptr<ProjectionStore> projections;
  std::unique_ptr<DeadLetters> dead_letters;  // Not of projectors and the upkeep.
  std::unique_ptr<Parking> parking;           // Only of workers.
  std::unique_ptr<Source> source;             // Not of the upkeep.
  std::unique_ptr<Member> member;
};

Service::Service(Options options, const Config& config, const Clock& clock, const Log& log)
    : options_(std::move(options)),
      config_(config),
      clock_(clock),
      log_(log),
      reader_metrics_(metrics_),
      projector_metrics_(metrics_),
      board_(MembersOf(config)),
      lists_(config.live),
      decoder_(config.decoder, StreamTable::Make(config.streams).value()),
      endpoints_({options_.version, WithoutPassword(config.landing)}, board_, metrics_, clock) {
  CHECK(config.problems.empty(), "the configuration has no problems");
  metrics_.BeforeExport(
      [this] { reader_metrics_.Refresh(clock_.SinceBoot(), clock_.Now(), endpoints_.uptime()); });
}

Service::~Service() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
}

Status Service::Start(const Factories& factories) {
  CHECK(loop_ == nullptr, "a service is started once");
  auto loop = SdEventLoop::Make();
  if (!loop.ok()) return loop.error();
  loop_ = std::move(loop).value();
  if (Status status = WatchSignals(); !status.ok()) return status;
  if (Status status = MakeMembers(factories); !status.ok()) return status;
  if (Status status = OpenApi(factories); !status.ok()) return status;
  if (Status status = OpenHttp(); !status.ok()) return status;
  running_ = crews_.size();
  if (enrichment_) enrichment_->Start();
  for (const auto& crew : crews_) {
    threads_.emplace_back([this, &crew = *crew] { RunMember(crew); });
  }
  tick_ = loop_->AddTimer([this] { OnTick(); });
  drain_limit_ = loop_->AddTimer([this] {
    log_.Error("the members did not end in time; what they had in hand comes again");
    std::_Exit(failed_ ? 1
                       : 0);  // A thread that waits for a server cannot be ended in any other way.
  });
  sd_notify(0, "READY=1");
  OnTick();
  return {};
}

Status Service::WatchSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  // Threads inherit the mask, so it is set before any thread starts, the libraries' included.
  if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return SystemError("block signals");
  signals_ = UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) return SystemError("signalfd");
  ended_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!ended_.valid()) return SystemError("eventfd");
  signal_watch_ = loop_->WatchFd(signals_.get(), [this](Ready) { OnSignal(); });
  ended_watch_ = loop_->WatchFd(ended_.get(), [this](Ready) { OnMemberEnded(); });
  return {};
}

Status Service::MakeMembers(const Factories& factories) {
  if (config_.roles.land && factories.enrichment) {
    auto enrichment = factories.enrichment(metrics_);
    if (!enrichment.ok()) return enrichment.error();
    enrichment_ = std::move(enrichment).value();
  }
  for (size_t i = 0; config_.roles.land && i < config_.workers; ++i) {
    if (Status status = MakeWorker(factories, i); !status.ok()) return status;
  }
  for (size_t i = 0; config_.roles.project && i < config_.project_workers; ++i) {
    if (Status status = MakeProjector(factories, i); !status.ok()) return status;
  }
  if (!config_.roles.land) return {};
  if (Status status = MakeUnparker(factories); !status.ok()) return status;
  return MakeUpkeep(factories);
}

Result<std::unique_ptr<Service::Crew>> Service::NewCrew(const Factories& factories,
                                                        std::string name,
                                                        const OpenStore& open_store) {
  auto crew = std::make_unique<Crew>();
  auto store = open_store ? open_store() : factories.store();
  if (!store.ok()) return store.error();
  auto projections = factories.projections();
  if (!projections.ok()) return projections.error();
  crew->name = std::move(name);
  crew->store = std::move(store).value();
  crew->projections = std::move(projections).value();
  return crew;
}

size_t Service::Enlist(std::unique_ptr<Crew> crew, MemberState state) {
  const size_t place = crews_.size();
  state.name = crew->name;
  state.last_turn = clock_.SinceBoot();
  board_.Post(place, std::move(state));
  crews_.push_back(std::move(crew));
  return place;
}

Status Service::MakeWorker(const Factories& factories, size_t number) {
  auto source = factories.source(number);
  if (!source.ok()) return source.error();
  auto made = NewCrew(factories, fmt::format("worker {}", number), factories.writer);
  if (!made.ok()) return made.error();
  Crew& crew = **made;
  crew.source = std::move(source).value();
  crew.dead_letters = factories.dead_letters();
  if (factories.parking && !config_.parking_topic.empty()) crew.parking = factories.parking();
  const size_t place = Enlist(std::move(made).value(), {});
  Worker::Options options = config_.worker;
  for (const std::string& tenant : config_.decoder.tenants)
    options.databases.insert(DatabaseForTenant(config_.decoder.database, tenant).name);
  crew.member = std::make_unique<Worker>(
      std::move(options),
      Worker::Parts{*crew.source, *crew.store, *crew.projections, *crew.dead_letters, decoder_,
                    clock_, log_, reader_metrics_, board_, enrichment_.get(), crew.parking.get(),
                    &index_requests_},
      place, std::random_device()());
  return {};
}

Status Service::MakeProjector(const Factories& factories, size_t number) {
  auto source = factories.projecting_source(number);
  if (!source.ok()) return source.error();
  auto made = NewCrew(factories, fmt::format("projector {}", number), {});
  if (!made.ok()) return made.error();
  Crew& crew = **made;
  crew.source = std::move(source).value();
  const size_t place = Enlist(std::move(made).value(), {.role = MemberRole::kProject});
  crew.member = std::make_unique<Projector>(
      config_.projector,
      Projector::Parts{*crew.source, *crew.projections, *crew.store, decoder_, clock_, log_,
                       projector_metrics_, board_},
      place, crew.name, std::random_device()());
  return {};
}

Status Service::MakeUnparker(const Factories& factories) {
  if (!factories.parked_source || config_.parking_topic.empty()) return {};
  auto source = factories.parked_source();
  if (!source.ok()) return source.error();
  auto made = NewCrew(factories, "unparker", {});
  if (!made.ok()) return made.error();
  Crew& crew = **made;
  crew.source = std::move(source).value();
  crew.dead_letters = factories.dead_letters();
  const size_t place =
      Enlist(std::move(made).value(), {.role = MemberRole::kUnpark, .database_up = true});
  crew.member = std::make_unique<Unparker>(
      Unparker::Options{.max_attempts = config_.worker.max_attempts,
                        .database = config_.decoder.database,
                        .folder = config_.projector.folder},
      Unparker::Parts{*crew.source, *crew.store, *crew.projections, *crew.dead_letters, decoder_,
                      clock_, log_, reader_metrics_, board_, enrichment_.get(), &index_requests_},
      place);
  return {};
}

Status Service::MakeUpkeep(const Factories& factories) {
  auto made = NewCrew(factories, "upkeep", factories.upkeep_store);
  if (!made.ok()) return made.error();
  Crew& crew = **made;
  const size_t place = Enlist(std::move(made).value(),
                              {.role = MemberRole::kUpkeep, .database_up = true, .kafka_up = true});
  crew.member =
      std::make_unique<Upkeep>(Upkeep::Options{},
                               Upkeep::Parts{index_requests_, *crew.store, *crew.projections,
                                             decoder_, clock_, log_, reader_metrics_, board_},
                               place);
  return {};
}

// The main thread answers requests; the query threads ask the database.
Status Service::OpenApi(const Factories& factories) {
  if (!config_.http) return {};
  if (config_.roles.api) {
    queries_ = std::make_unique<QueryPool>(config_.api.pool, factories.queries, clock_, log_);
    if (Status status = queries_->Start(); !status.ok()) return status;
    probes_ = std::make_unique<QueryPool>(
        QueryPool::Options{.threads = 1, .queue = 1, .deadline = config_.api.pool.deadline},
        factories.queries, clock_, log_);
    if (Status status = probes_->Start(); !status.ok()) return status;
  }
  Placement placement{config_.decoder.tenancy, config_.decoder.database, config_.streams, {}};
  for (const auto& [database, uri] : config_.landing_of_database)
    placement.own_servers.insert(database);
  api_ = std::make_unique<Api>(config_.api, std::move(placement),
                               Api::Parts{.state = endpoints_,
                                          .queries = queries_.get(),
                                          .probes = probes_.get(),
                                          .loop = *loop_,
                                          .metrics = metrics_,
                                          .clock = clock_,
                                          .log = log_,
                                          .stop = [this] { BeginStop(); }});
  return {};
}

Status Service::OpenHttp() {
  if (!config_.http) return {};
  auto server = http::Server::StartDeferred(
      *config_.http, *loop_, log_, [this](const http::Request& request, http::Reply reply) {
        api_->Answer(request, std::move(reply));
      });
  if (!server.ok()) return server.error();
  http_ = std::move(server).value();
  log_.Info("answering on {} port {}", config_.http->address, http_->port());
  return {};
}

void Service::RunMember(Crew& crew) {
  while (!stopping_) {
    if (Status status = crew.member->Step(kPatience); !status.ok()) {
      log_.Error("{} gives up: {}", crew.name, status.error().message);
      break;
    }
  }
  crew.member->Stop();
  const uint64_t one = 1;
  // The write to an eventfd succeeds as long as its counter is below 2^64 - 1.
  [[maybe_unused]] const auto written = ::write(ended_.get(), &one, sizeof(one));
}

int Service::Run() {
  CHECK(tick_ != nullptr, "a service runs after Start() succeeded");
  if (Status status = loop_->Run(); !status.ok()) {
    // Nobody sends WATCHDOG=1 any more, so systemd ends a member that does not stop by itself.
    log_.Error("{}", status.error().message);
    failed_ = true;
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  log_.Info("stopped");
  return failed_ ? 1 : 0;
}

void Service::OnSignal() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof(signal)) == sizeof(signal)) {
    if (signal.ssi_signo == SIGHUP) {
      Reload();
      continue;
    }
    log_.Info("signal {}: landing what is in hand", signal.ssi_signo);
    BeginStop();
  }
}

// Lists that are wrong change nothing: those in force stay.
void Service::Reload() {
  if (!lists_.any()) return;
  auto lists = lists_.Read();
  metrics_
      .AddCounter("tidegate_reader_reloads_total",
                  "Files of tenants and tokens read again, by result.",
                  {{"result", lists.ok() ? "ok" : "refused"}})
      .Increment();
  reload_problem_ = lists.ok() ? "" : lists.error().message;
  if (!lists.ok())
    return log_.Error("{}; the tenants and tokens in force stay", lists.error().message);
  if (lists->waiting_for_restart > 0)
    log_.Warning("{} tenants have a server that is new; they may land after a restart",
                 lists->waiting_for_restart);
  log_.Info("{} tenants and {} tokens in force", lists->tenants.allowed.size(),
            lists->tokens ? lists->tokens->size() : 0);
  decoder_.SetTenants(std::move(lists->tenants));
  if (api_ && lists->tokens) api_->SetTokens(std::move(lists->tokens));
}

void Service::OnMemberEnded() {
  uint64_t count = 0;
  if (::read(ended_.get(), &count, sizeof(count)) != sizeof(count)) return;
  CHECK(count <= running_, "a member ends once");
  running_ -= count;
  // A member that ends without a stop has failed; the service manager restarts the program.
  if (!stopping_) failed_ = true;
  BeginStop();
  if (running_ == 0) loop_->Stop();
  // What the upkeep does may take long, is in the database's hands, and is done again.
  if (running_ == 1 && config_.roles.land) drain_limit_->After(kUpkeepDrain);
}

void Service::BeginStop() {
  if (stopping_.exchange(true)) return;
  sd_notify(0, "STOPPING=1");
  drain_limit_->After(options_.drain);
  if (running_ == 0) loop_->Stop();
}

void Service::OnTick() {
  tick_->After(kTick);
  if (api_) api_->Probe();
  if (lists_.any() && lists_.Changed()) Reload();
  const std::vector<MemberState> workers = board_.Read();
  sd_notify(0, ("STATUS=" + StatusLine(workers)).c_str());
  // Without WATCHDOG=1 the service manager restarts a program that has a stuck worker.
  const bool stuck = std::ranges::any_of(
      workers, [&](const MemberState& worker) { return IsStuck(worker, clock_.SinceBoot()); });
  if (!stuck) sd_notify(0, "WATCHDOG=1");
}

std::string Service::StatusLine(const std::vector<MemberState>& workers) const {
  uint64_t landed = 0;
  uint64_t dead_letters = 0;
  int64_t lag = 0;
  size_t partitions = 0;
  std::string trouble = reload_problem_;
  for (const MemberState& worker : workers) {
    landed += worker.landed;
    dead_letters += worker.dead_letters;
    if (trouble.empty()) trouble = worker.trouble;
    if (worker.role != MemberRole::kLand) continue;
    partitions += worker.partitions.size();
    for (const PartitionLag& entry : worker.partitions) lag += entry.messages;
  }
  std::string line = fmt::format("{} landed, {} behind on {} partitions, {} dead letters", landed,
                                 lag, partitions, dead_letters);
  if (!trouble.empty()) line += "; waiting: " + trouble;
  if (const auto parked = ParkedLanes(workers); !parked.empty())
    line += fmt::format("; {} databases parked, the first {}", parked.size(), *parked.begin());
  std::ranges::replace(line, '\n', ' ');
  return line;
}

}  // namespace tidegate::reader
