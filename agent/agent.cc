#include "agent/agent.h"

#include <fmt/format.h>

#include <deque>
#include <filesystem>
#include <optional>
#include <utility>

#include "agent/clock_watch.h"
#include "agent/control/control_socket.h"
#include "agent/control/record_line.h"
#include "agent/endpoint_opener.h"
#include "agent/pipeline/pipeline.h"
#include "agent/salvage_steps.h"
#include "agent/store_notes.h"
#include "agent/store_opener.h"
#include "core/check.h"
#include "core/loop/sd_event_loop.h"
#include "core/metrics.h"
#include "drivers/registry.h"
#include "store/sqlite_store.h"
#include "uplink/forwarder.h"
#include "uplink/kafka_transport.h"
#include "uplink/uplink_config.h"

namespace tidegate {

namespace {

constexpr auto kStopPoll = std::chrono::milliseconds(5);

class RunningAgent final : public Agent {
 public:
  RunningAgent(sd_event* event, const Settings& settings, const Credentials& credentials,
               const Log& log)
      : settings_(settings),
        credentials_(credentials),
        log_(log),
        loop_(event),
        started_(clock_.SinceBoot()),
        opener_(
            settings_.store_dir, [this] { return OpenStore(); }, loop_, clock_, log_, metrics_,
            Seed()),
        http_opener_(
            "http", "TIDEGATE_HTTP_LISTEN", [this] { return OpenHttp(); }, loop_, clock_, log_,
            metrics_, Seed()),
        control_opener_(
            "control socket", "TIDEGATE_CONTROL_SOCKET", [this] { return OpenControl(); }, loop_,
            clock_, log_, metrics_, Seed()) {}

  ~RunningAgent() override {
    // What the drivers have offered becomes durable; they acknowledge it as they disconnect.
    if (pipeline_ && !stopping_) pipeline_->Commit();
    http_.reset();
    control_.reset();
    drivers_.clear();
    forwarder_.reset();
    transport_.reset();
    if (store_ && store_->IsReady()) LogFailure(store_->Flush());
  }

  Status Open();
  void OnFailed(std::function<void(const Error&)> on_failed) override {
    on_failed_ = std::move(on_failed);
  }
  void Stop(std::function<void()> on_stopped) override;
  StatusReport status() const override;

 private:
  Status OpenStore();
  Status OpenHttp();
  Status OpenControl();
  void OnStoreOpener(const Status& status);
  // Connects what needs the store, unless a salvage has to restore the fold first.
  Status OnStoreOpen();
  void OnSalvageStep();
  void ReportFailure(const Status& status);
  // Makes everything that needs the store.
  Status Connect();
  void StartPipeline();
  Status OpenUplink();
  Status OpenInputs();
  void Publish(Seq first, const AppendRequest& request);
  http::Response Answer(const http::Request& request);
  StatusReport::UplinkPart UplinkStatus() const;
  void AddWithStore(StatusReport& report) const;
  void AddWithoutStore(StatusReport& report) const;
  bool HasUplink() const {
    return !settings_.kafka.empty() || !settings_.kafka_credentials.empty();
  }
  std::string HttpAddress() const {
    return http_ ? fmt::format("{}:{}", settings_.http->address, http_->port()) : "";
  }
  uint64_t Seed() const { return static_cast<uint64_t>(clock_.SinceBoot().count()); }
  void OnStopTimer();
  void LogFailure(const Status& status) const {
    if (!status.ok()) log_.Error("{}", status.error().message);
  }

  const Settings settings_;
  const Credentials credentials_;
  const Log& log_;
  SystemClock clock_;
  Metrics metrics_;
  SdEventLoop loop_;
  BootTime started_;
  StoreOpener opener_;
  EndpointOpener http_opener_;
  EndpointOpener control_opener_;
  std::function<void(const Error&)> on_failed_;
  bool stopping_ = false;
  std::function<void()> on_stopped_;

  // In the order of the flow.
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<SalvageSteps> salvage_steps_;
  std::unique_ptr<ClockWatch> clock_watch_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Forwarder> forwarder_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<StoreNotes> notes_;
  std::deque<std::unique_ptr<Driver>> drivers_;
  std::unique_ptr<ControlSocket> control_;
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<Timer> stop_timer_;
  BootTime stop_deadline_{};
};

Status RunningAgent::Open() {
  const Status store = opener_.Start([this](const Status& status) { OnStoreOpener(status); });
  if (!store.ok() && !store.error().retryable()) return store;
  http_opener_.Open();
  // The socket of an agent that was started by hand is in the store's folder, which may be missing
  // until the store opens.
  control_opener_.Open();
  return store.ok() ? OnStoreOpen() : Status();
}

void RunningAgent::OnStoreOpener(const Status& opened) {
  ReportFailure(opened.ok() ? OnStoreOpen() : opened);
}

Status RunningAgent::OnStoreOpen() {
  if (store_->IsReady()) return Connect();
  log_.Warning("store: nothing is read from the inputs until the damaged file has been read");
  control_opener_.Open();
  return {};
}

void RunningAgent::OnSalvageStep() {
  if (forwarder_) forwarder_->OnSendable();
  if (!pipeline_ && !stopping_ && store_->IsReady()) ReportFailure(Connect());
}

void RunningAgent::ReportFailure(const Status& status) {
  if (status.ok()) return;
  on_failed_ ? on_failed_(status.error()) : LogFailure(status);
}

Status RunningAgent::Connect() {
  control_opener_.Open();
  StartPipeline();
  if (Status status = OpenUplink(); !status.ok()) return status;
  return OpenInputs();
}

Status RunningAgent::OpenStore() {
  std::error_code error;
  std::filesystem::create_directories(settings_.store_dir, error);
  if (error) {
    return Error{
        ErrorCode::kUnavailable,
        fmt::format("make store folder {}: {}; set TIDEGATE_STORE_DIR to a place that is writable",
                    settings_.store_dir, error.message())};
  }
  SqliteStore::Options options;
  options.path = StorePath(settings_.store_dir);
  options.gateway = settings_.gateway_id;
  if (!settings_.pipeline.default_tenant.empty())
    options.tenant = settings_.pipeline.default_tenant;
  options.max_bytes = settings_.store_max_bytes;
  options.full = settings_.store_stop_reading ? FullPolicy::kStopReading : FullPolicy::kDropOldest;
  options.durability = settings_.power_safe ? Durability::kPowerSafe : Durability::kProcessSafe;
  auto store = SqliteStore::Open(std::move(options), clock_, log_, metrics_);
  if (!store.ok()) return store.error();
  store_ = std::move(store).value();
  salvage_steps_ =
      std::make_unique<SalvageSteps>(*store_, loop_, clock_, [this] { OnSalvageStep(); });
  log_.Info("store: {}, {} records wait, epoch {}", settings_.store_dir,
            store_->Usage().total_records(), store_->epoch());
  return {};
}

void RunningAgent::StartPipeline() {
  clock_watch_ = std::make_unique<ClockWatch>(*store_, loop_, clock_, log_, metrics_);
  Pipeline::Options options = settings_.pipeline;
  options.crash_mark_path = settings_.store_dir + "/decoding";
  pipeline_ = std::make_unique<Pipeline>(*store_, loop_, clock_, log_, metrics_, settings_.rules,
                                         std::move(options));
  pipeline_->Restore();
  pipeline_->OnStored([this](Seq first, const AppendRequest& request) { Publish(first, request); });
}

Status RunningAgent::OpenUplink() {
  if (!HasUplink()) return {};
  KafkaTransport::Options options;
  options.config = UplinkConfig(settings_.gateway_id, settings_.kafka, settings_.kafka_credentials);
  options.seed = Seed();
  auto transport = KafkaTransport::Create(std::move(options), loop_, clock_, log_, metrics_);
  if (!transport.ok()) return transport.error();
  transport_ = std::move(transport).value();
  Forwarder::Options forwarding;
  forwarding.gateway = settings_.gateway_id;
  forwarding.topics = settings_.topics;
  forwarding.clock_history = &clock_watch_->history();
  forwarding.gate.budgets = settings_.uplink_budgets;
  forwarding.gate.windows = settings_.uplink_windows;
  forwarding.live_share_percent = settings_.uplink_live_share_percent;
  forwarding.linger = settings_.uplink_linger;
  forwarding.seed = Seed();
  forwarder_ = std::make_unique<Forwarder>(*store_, *transport_, loop_, clock_, log_, metrics_,
                                           std::move(forwarding));
  forwarder_->OnDelivered([this] { pipeline_->OnRoom(); });
  clock_watch_->OnSet([this](bool back) { forwarder_->OnClockSet(back); });
  return {};
}

Status RunningAgent::OpenInputs() {
  notes_ = std::make_unique<StoreNotes>(*store_);
  const DriverContext context{.clock = clock_,
                              .log = log_,
                              .metrics = metrics_,
                              .credentials = credentials_,
                              .notes = *notes_,
                              .gateway_id = settings_.gateway_id,
                              .seed = Seed()};
  for (const InputConfig& config : settings_.inputs) {
    auto driver = MakeDriver(config, context);
    if (!driver.ok()) return driver.error();
    drivers_.push_back(std::move(driver).value());
    Inbox& inbox = pipeline_->AddInput(config.input, drivers_.back().get());
    if (Status status = drivers_.back()->Start(loop_, inbox); !status.ok()) return status;
  }
  return {};
}

Status RunningAgent::OpenControl() {
  auto control = ControlSocket::Listen(settings_.control_socket, loop_, clock_, log_,
                                       [this] { return StatusJson(status()); });
  if (!control.ok()) return Status(control);
  control_ = std::move(control).value();
  return {};
}

Status RunningAgent::OpenHttp() {
  if (!settings_.http) return {};
  auto server =
      http::Server::Start(*settings_.http, loop_, log_,
                          [this](const http::Request& request) { return Answer(request); });
  if (!server.ok()) return Status(server);
  http_ = std::move(server).value();
  log_.Info("http: listening on {}", HttpAddress());
  return {};
}

void RunningAgent::Publish(Seq first, const AppendRequest& request) {
  clock_watch_->Poll();
  if (forwarder_) forwarder_->OnStored();
  if (!control_ || !control_->HasFollowers()) return;
  Seq seq = first;
  for (const auto& batch : request.batches) {
    for (const Record& record : batch.records) {
      const std::string id = SequenceId(settings_.gateway_id, store_->epoch(), seq++);
      control_->Publish(record.record_class, RecordJsonLine(id, record));
    }
  }
}

StatusReport::UplinkPart RunningAgent::UplinkStatus() const {
  StatusReport::UplinkPart part;
  part.configured = HasUplink();
  if (!forwarder_) {
    part.detail = part.configured ? "waits for the store"
                                  : "not configured: set TIDEGATE_KAFKA_BOOTSTRAP_SERVERS";
    return part;
  }
  const ForwarderStatus status = forwarder_->status();
  part.connected = status.connected;
  part.in_flight = status.in_flight_records;
  part.acked = status.acked;
  part.retried = status.retried;
  part.rejected = status.rejected;
  part.detail = status.connected ? "connected" : "away";
  if (status.probing) part.detail += ", looking for the record that the broker refuses";
  if (status.topics_on_trial > 0)
    part.detail += fmt::format(", {} topic(s) refused records lately", status.topics_on_trial);
  if (status.topics_aside > 0)
    part.detail += fmt::format(", {} topic(s) accept nothing and wait apart", status.topics_aside);
  part.gate = status.gate;
  if (!status.gate.open) part.detail += ", held back";
  if (!status.last_error.empty()) part.detail += "; last error: " + status.last_error;
  return part;
}

http::Response RunningAgent::Answer(const http::Request& request) {
  http::Response response;
  if (request.method != "GET" && request.method != "HEAD") {
    response.status = 405;
    response.body = R"({"error":"only GET and HEAD"})";
  } else if (request.path == "/metrics") {
    response.content_type = "text/plain; version=0.0.4";
    response.body = metrics_.Text();
  } else if (request.path == "/healthz") {
    response.body = R"({"status":"ok"})";
  } else if (request.path == "/readyz") {
    const bool blocked = pipeline_ && pipeline_->blocked();
    response.status = pipeline_ && !blocked ? 200 : 503;
    response.body = !pipeline_ ? R"({"status":"the store is not open"})"
                    : blocked  ? R"({"status":"commits fail"})"
                               : R"({"status":"ready"})";
  } else if (request.path == "/status") {
    response.body = StatusJson(status());
  } else {
    response.status = 404;
    response.body = R"({"error":"known are /metrics /healthz /readyz /status"})";
  }
  return response;
}

StatusReport RunningAgent::status() const {
  StatusReport report;
  report.gateway_id = settings_.gateway_id;
  report.version = AgentVersion();
  report.uptime = std::chrono::floor<std::chrono::seconds>(clock_.SinceBoot() - started_);
  report.now = clock_.Now();
  report.clock_synced = clock_.Synced();
  report.uplink = UplinkStatus();
  report.http = HttpAddress();
  for (const EndpointOpener* opener : {&http_opener_, &control_opener_})
    if (!opener->waits_for().empty()) report.not_listening.push_back(opener->waits_for());
  pipeline_ ? AddWithStore(report) : AddWithoutStore(report);
  return report;
}

void RunningAgent::AddWithoutStore(StatusReport& report) const {
  report.store.max_bytes = settings_.store_max_bytes;
  if (store_) report.store = store_->Usage();
  const auto read = report.store.salvage_percent;
  report.store_error = read ? fmt::format("a damaged file is being read, {} %", *read)
                       : opener_.last().ok() ? "what needs it does not start, see the log"
                                             : opener_.last().error().message;
  for (const InputConfig& config : settings_.inputs)
    report.inputs.push_back({.name = config.input.name, .detail = "waits for the store"});
}

void RunningAgent::AddWithStore(StatusReport& report) const {
  report.epoch = store_->epoch();
  report.clock_correction = clock_watch_->correction();
  report.store = store_->Usage();
  report.store_blocked = pipeline_->blocked();
  report.alerts_raised = pipeline_->alerts_raised();
  const auto inputs = pipeline_->inputs();
  CHECK(inputs.size() == drivers_.size(), "every input has its driver");
  for (size_t i = 0; i < inputs.size(); ++i) {
    const DriverStatus driver = drivers_[i]->status();
    report.inputs.push_back({.name = inputs[i].name,
                             .connected = driver.connected,
                             .detail = driver.detail,
                             .received = inputs[i].received,
                             .settled = inputs[i].settled,
                             .refused = inputs[i].refused,
                             .redelivered = inputs[i].redelivered});
  }
}

void RunningAgent::Stop(std::function<void()> on_stopped) {
  if (stopping_) return;
  stopping_ = true;
  on_stopped_ = std::move(on_stopped);
  opener_.Cancel();
  http_opener_.Cancel();
  control_opener_.Cancel();
  salvage_steps_.reset();
  for (auto& driver : drivers_) driver->Stop();
  if (pipeline_) pipeline_->Commit();
  if (forwarder_) forwarder_->Hurry();
  stop_deadline_ = clock_.SinceBoot() + settings_.stop_timeout;
  stop_timer_ = loop_.AddTimer([this] { OnStopTimer(); });
  stop_timer_->After(std::chrono::nanoseconds::zero());
}

// The uplink has no event for "empty", and a stop is rare, so it is polled until the deadline.
void RunningAgent::OnStopTimer() {
  const bool waiting = forwarder_ && transport_->Connected() && !forwarder_->Resting();
  if (waiting && clock_.SinceBoot() < stop_deadline_) {
    stop_timer_->After(kStopPoll);
    return;
  }
  if (forwarder_) forwarder_->Stop();
  if (store_) {
    log_.Info("stop: {} record(s) stay in the store for the next start",
              store_->Usage().total_records());
  }
  std::exchange(on_stopped_, {})();
}

}  // namespace

Result<std::unique_ptr<Agent>> Agent::Start(sd_event* event, const Settings& settings,
                                            const Credentials& credentials, const Log& log) {
  auto agent = std::make_unique<RunningAgent>(event, settings, credentials, log);
  if (Status status = agent->Open(); !status.ok()) return status.error();
  return std::unique_ptr<Agent>(std::move(agent));
}

std::string AgentVersion() {
  return TIDEGATE_VERSION;
}

}  // namespace tidegate
