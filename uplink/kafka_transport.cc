#include "uplink/kafka_transport.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/check.h"
#include "uplink/kafka_producer.h"

namespace tidegate {

namespace {
constexpr const char* kWireBytes = "tidegate_uplink_wire_bytes_total";
constexpr const char* kWireBytesHelp =
    "Bytes of the Kafka protocol, compressed, without TLS, TCP and IP";
}  // namespace

Result<std::unique_ptr<KafkaTransport>> KafkaTransport::Create(Options options, Loop& loop,
                                                               const Clock& clock, const Log& log,
                                                               Metrics& metrics) {
  Result<std::shared_ptr<LinkState>> link = LinkState::Create();
  if (!link.ok()) return link.error();
  std::unique_ptr<KafkaTransport> transport(
      new KafkaTransport(std::move(options), *std::move(link), loop, clock, log, metrics));
  Status status = transport->StartProducer();
  if (!status.ok()) return status.error();
  return transport;
}

KafkaTransport::KafkaTransport(Options options, std::shared_ptr<LinkState> link, Loop& loop,
                               const Clock& clock, const Log& log, Metrics& metrics)
    : options_(std::move(options)),
      log_(log),
      connected_gauge_(
          metrics.AddGauge("tidegate_uplink_connected", "1 while a Kafka broker answers")),
      recreated_(metrics.AddCounter("tidegate_uplink_producers_replaced_total",
                                    "Kafka producers that died of a fatal error")),
      sent_counter_(metrics.AddCounter(kWireBytes, kWireBytesHelp, {{"direction", "sent"}})),
      received_counter_(
          metrics.AddCounter(kWireBytes, kWireBytesHelp, {{"direction", "received"}})),
      clock_(clock),
      client_log_(log, clock, "uplink"),
      backoff_(options_.recreate, options_.seed),
      loop_(loop),
      link_(std::move(link)),
      attempts_timer_(loop.AddTimer([this] { EndSlowAttempts(); })),
      bury_timer_(loop.AddTimer([this] {
        Bury();
        if (on_activity_) on_activity_();
      })),
      replace_timer_(loop.AddTimer([this] { Replace(); })) {}

KafkaTransport::~KafkaTransport() = default;

Status KafkaTransport::StartProducer() {
  CHECK(producer_ == nullptr, "one producer at a time");
  Result<kafka::ConfHandle> conf = kafka::MakeConf(options_.config);
  if (!conf.ok()) return conf.error();
  Result<std::unique_ptr<KafkaProducer>> producer =
      KafkaProducer::Create(*std::move(conf), link_, client_log_);
  if (!producer.ok()) return producer.error();
  producer_ = *std::move(producer);
  watch_ = loop_.WatchFd(link_->fd(), [this](Ready) { OnWake(); });
  answered_ = false;
  return {};
}

Status KafkaTransport::Send(Seq seq, const WireMessage& message) {
  if (!producer_) return Error{ErrorCode::kUnavailable, last_failure_};
  Status status = producer_->Send(seq, message);
  if (status.ok()) ++unreported_;
  if (!status.ok() && !producer_->failure().empty()) link_->Wake();
  return status;
}

void KafkaTransport::Drain(const std::function<void(const Report&)>& on_report) {
  Poll();
  // The callback may send, which may add reports.
  const std::vector<Report> reports = std::exchange(reports_, {});
  CHECK(unreported_ >= reports.size(), "a report is for an accepted message");
  unreported_ -= reports.size();
  for (const Report& report : reports) on_report(report);
}

void KafkaTransport::CheckReports() const {
  const size_t in_flight = producer_ != nullptr ? producer_->in_flight() : 0;
  CHECK(unreported_ == in_flight + reports_.size(), "each accepted message has one report to come");
}

void KafkaTransport::Recall(const std::string& reason) {
  if (!producer_) return;
  producer_->Fail(fmt::format("kafka producer recalled: {}", reason));
  if (!link_->connected()) Bury();
  link_->Wake();
}

bool KafkaTransport::Connected() const {
  return producer_ != nullptr && link_->connected();
}

void KafkaTransport::OnWake() {
  link_->Acknowledge();
  EndSlowAttempts();
  Poll();
  connected_gauge_.Set(Connected() ? 1 : 0);
  CountBytes();
  if (on_activity_) on_activity_();
}

void KafkaTransport::EndSlowAttempts() {
  const BootTime now = clock_.SinceBoot();
  const std::optional<BootTime> next = link_->attempts().EndSlow(now);
  if (next) attempts_timer_->After(*next - now);
}

void KafkaTransport::Poll() {
  if (!producer_) return;
  producer_->Poll([this](Report report) {
    if (report.delivery != Delivery::kRetry) answered_ = true;
    reports_.push_back(std::move(report));
  });
  CheckReports();
  if (producer_->failure().empty()) return;
  if (producer_->in_flight() == 0) {
    Bury();
  } else if (!bury_timer_->armed()) {
    bury_timer_->After(options_.last_reports);
  }
}

// Ends the failed producer. Records without a report may or may not have arrived, and are sent
// again.
void KafkaTransport::Bury() {
  CHECK(producer_ != nullptr, "there is a failed producer");
  bury_timer_->Cancel();
  last_failure_ = producer_->failure();
  log_.Warning("{}; making a new one", last_failure_);
  producer_->Abandon([this](Report report) { reports_.push_back(std::move(report)); });
  watch_.reset();
  producer_.reset();
  CheckReports();
  recreated_.Increment();
  if (answered_) backoff_.Reset();
  // A timer makes it, because this may be called from inside a Drain().
  replace_timer_->After(answered_ ? std::chrono::milliseconds(0) : backoff_.Next());
}

// The next producer gets a LinkState of its own, because threads of the previous one may still be
// ending.
void KafkaTransport::Replace() {
  Result<std::shared_ptr<LinkState>> link = LinkState::Create();
  Status status = Status(link);
  if (link.ok()) {
    earlier_sent_bytes_ += link_->sent_bytes();
    earlier_received_bytes_ += link_->received_bytes();
    link_ = *std::move(link);
    status = StartProducer();
  }
  if (!status.ok()) {
    log_.Error("{}", status.error().message);
    replace_timer_->After(backoff_.Next());
  }
  if (on_activity_) on_activity_();
}

void KafkaTransport::CountBytes() {
  sent_counter_.Increment(static_cast<double>(sent_bytes()) - sent_counter_.Value());
  received_counter_.Increment(static_cast<double>(received_bytes()) - received_counter_.Value());
}

}  // namespace tidegate
