#include "uplink/kafka_channel.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <utility>

#include "core/check.h"
#include "uplink/kafka_producer.h"

namespace tidegate {

namespace {
// Failed producers that may be ending at a time: each has threads, and one whose name server does
// not answer takes half a minute.
constexpr size_t kMaxEnding = 4;
constexpr std::chrono::seconds kEndingWait{1};
}  // namespace

Result<std::unique_ptr<KafkaChannel>> KafkaChannel::Create(Options options, const Parts& parts,
                                                           std::function<void()> on_activity) {
  Result<std::shared_ptr<LinkState>> link = LinkState::Create();
  if (!link.ok()) return link.error();
  std::unique_ptr<KafkaChannel> channel(
      new KafkaChannel(std::move(options), parts, std::move(on_activity), *std::move(link)));
  Status status = channel->StartProducer();
  if (!status.ok()) return status.error();
  return channel;
}

KafkaChannel::KafkaChannel(Options options, const Parts& parts, std::function<void()> on_activity,
                           std::shared_ptr<LinkState> link)
    : options_(std::move(options)),
      parts_(parts),
      on_activity_(std::move(on_activity)),
      recreated_(parts.metrics.AddCounter("tidegate_uplink_producers_replaced_total",
                                          "Kafka producers that died of a fatal error")),
      client_log_(parts.log, parts.clock, "uplink"),
      backoff_(options_.recreate, options_.seed),
      link_(std::move(link)),
      attempts_timer_(parts.loop.AddTimer([this] { EndSlowAttempts(); })),
      bury_timer_(parts.loop.AddTimer([this] {
        Bury();
        on_activity_();
      })),
      replace_timer_(parts.loop.AddTimer([this] { Replace(); })) {}

KafkaChannel::~KafkaChannel() = default;

Status KafkaChannel::StartProducer() {
  CHECK(producer_ == nullptr, "one producer at a time");
  Result<kafka::ConfHandle> conf = kafka::MakeConf(options_.config);
  if (!conf.ok()) return conf.error();
  Result<std::unique_ptr<KafkaProducer>> producer =
      KafkaProducer::Create(*std::move(conf), link_, client_log_, parts_.ends);
  if (!producer.ok()) return producer.error();
  producer_ = *std::move(producer);
  watch_ = parts_.loop.WatchFd(link_->fd(), [this](Ready) { OnWake(); });
  answered_ = false;
  return {};
}

Status KafkaChannel::Send(Seq seq, const WireMessage& message) {
  if (!producer_) return Error{ErrorCode::kFull, last_failure_};
  Status status = producer_->Send(seq, message);
  if (status.ok()) ++unreported_;
  if (!status.ok() && !producer_->failure().empty()) link_->Wake();
  return status;
}

void KafkaChannel::Drain(const std::function<void(const Transport::Report&)>& on_report) {
  Poll();
  // The callback may send, which may add reports.
  const std::vector<Transport::Report> reports = std::exchange(reports_, {});
  CHECK(unreported_ >= reports.size(), "a report is for an accepted message");
  unreported_ -= reports.size();
  for (const Transport::Report& report : reports) on_report(report);
}

void KafkaChannel::CheckReports() const {
  const size_t in_flight = producer_ != nullptr ? producer_->in_flight() : 0;
  CHECK(unreported_ == in_flight + reports_.size(), "each accepted message has one report to come");
}

void KafkaChannel::Recall(const std::string& reason) {
  if (!producer_) return;
  producer_->Fail(fmt::format("kafka producer recalled: {}", reason));
  if (!link_->connected()) Bury();
  link_->Wake();
}

bool KafkaChannel::Connected() const {
  return producer_ != nullptr && link_->connected();
}

void KafkaChannel::OnWake() {
  link_->Acknowledge();
  EndSlowAttempts();
  Poll();
  on_activity_();
}

void KafkaChannel::EndSlowAttempts() {
  const BootTime now = parts_.clock.SinceBoot();
  const std::optional<BootTime> next = link_->attempts().EndSlow(now);
  if (next) attempts_timer_->After(*next - now);
}

void KafkaChannel::Poll() {
  if (!producer_) return;
  producer_->Poll([this](Transport::Report report) {
    const bool answered =
        report.delivery == Delivery::kAcked || report.delivery == Delivery::kRejected;
    if (answered) answered_ = true;
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
void KafkaChannel::Bury() {
  CHECK(producer_ != nullptr, "there is a failed producer");
  bury_timer_->Cancel();
  last_failure_ = producer_->failure();
  if (const auto count = failure_limit_.Count(parts_.clock.SinceBoot())) {
    parts_.log.Warning("uplink: {} producers replaced: {}", *count, last_failure_);
  }
  producer_->Abandon([this](Transport::Report report) { reports_.push_back(std::move(report)); });
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
void KafkaChannel::Replace() {
  if (parts_.ends.pending() >= kMaxEnding) return replace_timer_->After(kEndingWait);
  Result<std::shared_ptr<LinkState>> link = LinkState::Create();
  Status status = Status(link);
  if (link.ok()) {
    earlier_sent_bytes_ += link_->sent_bytes();
    earlier_received_bytes_ += link_->received_bytes();
    link_ = *std::move(link);
    status = StartProducer();
  }
  if (!status.ok()) {
    if (const auto count = failure_limit_.Count(parts_.clock.SinceBoot())) {
      parts_.log.Error("uplink: {} producers failed: {}", *count, status.error().message);
    }
    replace_timer_->After(backoff_.Next());
  }
  on_activity_();
}

}  // namespace tidegate
