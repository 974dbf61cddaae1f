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

#include "reader/landing/landing.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

// How long a worker waits for a message, and so at most until it notices that it shall stop.
constexpr milliseconds kPatience{200};
constexpr std::chrono::seconds kTick{2};

Error SystemError(std::string_view operation) {
  return {ErrorCode::kUnavailable, fmt::format("{}: {}", operation, std::strerror(errno))};
}
}  // namespace

// In the order in which they are made; the worker goes first.
struct Service::WorkerParts {
  std::unique_ptr<DocumentStore> store;
  std::unique_ptr<DeadLetters> dead_letters;
  std::unique_ptr<Source> source;
  std::optional<Worker> worker;
};

Service::Service(Options options, const Config& config, const Clock& clock, const Log& log)
    : options_(std::move(options)),
      config_(config),
      clock_(clock),
      log_(log),
      reader_metrics_(metrics_),
      board_(config.workers),
      decoder_(config.decoder, StreamTable::Make(config.streams).value()),
      endpoints_({options_.version, WithoutPassword(config.landing)}, board_, metrics_, clock),
      loop_(clock) {}

Service::~Service() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
}

Status Service::Start(const Factories& factories) {
  if (Status status = WatchSignals(); !status.ok()) return status;
  if (Status status = MakeWorkers(factories); !status.ok()) return status;
  if (Status status = OpenHttp(); !status.ok()) return status;
  running_ = workers_.size();
  if (enrichment_) enrichment_->Start();
  for (size_t i = 0; i < workers_.size(); ++i) {
    threads_.emplace_back([this, i] { RunWorker(*workers_[i], i); });
  }
  tick_ = loop_.AddTimer([this] { OnTick(); });
  drain_limit_ = loop_.AddTimer([this] {
    log_.Error("the workers did not end in time; what they had in hand comes again");
    std::_Exit(0);  // Threads that wait for a server cannot be ended otherwise.
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
  // Before any thread starts, the libraries' included: they inherit the mask.
  if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return SystemError("block signals");
  signals_ = UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) return SystemError("signalfd");
  ended_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!ended_.valid()) return SystemError("eventfd");
  signal_watch_ = loop_.WatchFd(signals_.get(), [this](Ready) { OnSignal(); });
  ended_watch_ = loop_.WatchFd(ended_.get(), [this](Ready) { OnWorkerEnded(); });
  return {};
}

Status Service::MakeWorkers(const Factories& factories) {
  if (factories.enrichment) {
    auto enrichment = factories.enrichment(metrics_);
    if (!enrichment.ok()) return enrichment.error();
    enrichment_ = std::move(enrichment).value();
  }
  std::random_device random;
  for (size_t i = 0; i < config_.workers; ++i) {
    auto parts = std::make_unique<WorkerParts>();
    auto store = factories.store();
    if (!store.ok()) return store.error();
    parts->store = std::move(store).value();
    parts->dead_letters = factories.dead_letters();
    auto source = factories.source(i);
    if (!source.ok()) return source.error();
    parts->source = std::move(source).value();
    board_.Post(i, {.last_turn = clock_.SinceBoot()});
    parts->worker.emplace(
        config_.worker,
        Worker::Parts{*parts->source, *parts->store, *parts->dead_letters, decoder_, clock_, log_,
                      reader_metrics_, board_, enrichment_.get()},
        i, random());
    workers_.push_back(std::move(parts));
  }
  return {};
}

Status Service::OpenHttp() {
  if (!config_.http) return {};
  auto server = http::Server::Start(
      *config_.http, loop_, log_,
      [this](const http::Request& request) { return endpoints_.Answer(request); });
  if (!server.ok()) return server.error();
  http_ = std::move(server).value();
  log_.Info("answering on {} port {}", config_.http->address, http_->port());
  return {};
}

void Service::RunWorker(WorkerParts& parts, size_t number) {
  while (!stopping_) {
    if (Status status = parts.worker->Step(kPatience); !status.ok()) {
      log_.Error("worker {} gives up: {}", number, status.error().message);
      break;
    }
  }
  parts.worker->Stop();
  const uint64_t one = 1;
  // An eventfd takes it as long as its counter is below 2^64 - 1.
  [[maybe_unused]] const auto written = ::write(ended_.get(), &one, sizeof(one));
}

int Service::Run() {
  loop_.Run();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  log_.Info("stopped");
  return failed_ ? 1 : 0;
}

void Service::OnSignal() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof(signal)) == sizeof(signal)) {
    log_.Info("signal {}: landing what is in hand", signal.ssi_signo);
    BeginStop();
  }
}

void Service::OnWorkerEnded() {
  uint64_t count = 0;
  if (::read(ended_.get(), &count, sizeof(count)) != sizeof(count)) return;
  running_ -= std::min<size_t>(running_, count);
  // A worker that ends unasked has given up; the service manager starts the whole anew.
  if (!stopping_) failed_ = true;
  BeginStop();
  if (running_ == 0) loop_.Stop();
}

void Service::BeginStop() {
  if (stopping_.exchange(true)) return;
  sd_notify(0, "STOPPING=1");
  drain_limit_->After(options_.drain);
}

void Service::OnTick() {
  tick_->After(kTick);
  const std::vector<WorkerState> workers = board_.Read();
  sd_notify(0, ("STATUS=" + StatusLine(workers)).c_str());
  // A stuck worker shall get the whole restarted.
  const bool stuck = std::ranges::any_of(workers, [&](const WorkerState& worker) {
    return !worker.stopped && clock_.SinceBoot() - worker.last_turn > kStuckAfter;
  });
  if (!stuck) sd_notify(0, "WATCHDOG=1");
}

std::string Service::StatusLine(const std::vector<WorkerState>& workers) const {
  uint64_t landed = 0;
  uint64_t dead_letters = 0;
  int64_t lag = 0;
  size_t partitions = 0;
  std::string trouble;
  for (const WorkerState& worker : workers) {
    landed += worker.landed;
    dead_letters += worker.dead_letters;
    partitions += worker.partitions.size();
    for (const PartitionLag& entry : worker.partitions) lag += entry.messages;
    if (trouble.empty()) trouble = worker.trouble;
  }
  std::string line = fmt::format("{} landed, {} behind on {} partitions, {} dead letters", landed,
                                 lag, partitions, dead_letters);
  if (!trouble.empty()) line += "; waiting: " + trouble;
  std::ranges::replace(line, '\n', ' ');
  return line;
}

}  // namespace tidegate::reader
