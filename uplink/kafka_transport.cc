#include "uplink/kafka_transport.h"

#include <utility>

#include "core/check.h"
#include "uplink/uplink_config.h"

namespace tidegate {

namespace {
constexpr const char* kWireBytes = "tidegate_uplink_wire_bytes_total";
constexpr const char* kWireBytesHelp =
    "Bytes of the Kafka protocol, compressed, without TLS, TCP and IP";
}  // namespace

Result<std::unique_ptr<KafkaTransport>> KafkaTransport::Create(Options options, Loop& loop,
                                                               const Clock& clock, const Log& log,
                                                               Metrics& metrics) {
  std::unique_ptr<KafkaTransport> transport(
      new KafkaTransport(std::move(options), loop, clock, log, metrics));
  auto main = KafkaChannel::Create(transport->options_, transport->parts_,
                                   [self = transport.get()] { self->OnChannelActivity(); });
  if (!main.ok()) return main.error();
  transport->main_ = *std::move(main);
  return transport;
}

KafkaTransport::KafkaTransport(Options options, Loop& loop, const Clock& clock, const Log& log,
                               Metrics& metrics)
    : options_(std::move(options)),
      parts_{loop, clock, log, metrics, ends_},
      connected_gauge_(
          metrics.AddGauge("tidegate_uplink_connected", "1 while a Kafka broker answers")),
      sent_counter_(metrics.AddCounter(kWireBytes, kWireBytesHelp, {{"direction", "sent"}})),
      received_counter_(
          metrics.AddCounter(kWireBytes, kWireBytesHelp, {{"direction", "received"}})),
      trial_timer_(loop.AddTimer([this] { CloseIdleTrial(); })) {}

KafkaTransport::~KafkaTransport() = default;

Status KafkaTransport::Send(Seq seq, const WireMessage& message, Route route) {
  if (route == Route::kMain) return main_->Send(seq, message);
  if (!trial_) {
    if (Status opened = OpenTrial(); !opened.ok()) return opened;
  }
  trial_used_ = parts_.clock.SinceBoot();
  return trial_->Send(seq, message);
}

Status KafkaTransport::OpenTrial() {
  CHECK(trial_ == nullptr, "one trial channel at a time");
  KafkaChannel::Options options = options_;
  options.config = TrialConfig(std::move(options.config));
  ++options.seed;
  auto trial = KafkaChannel::Create(std::move(options), parts_, [this] { OnChannelActivity(); });
  if (!trial.ok()) return Error{ErrorCode::kUnavailable, trial.error().message};
  trial_ = *std::move(trial);
  trial_timer_->After(options_.trial_idle);
  return {};
}

void KafkaTransport::CloseIdleTrial() {
  const auto unused = parts_.clock.SinceBoot() - trial_used_;
  if (unused < options_.trial_idle || trial_->unreported() > 0) {
    return trial_timer_->After(options_.trial_idle);
  }
  earlier_sent_bytes_ += trial_->sent_bytes();
  earlier_received_bytes_ += trial_->received_bytes();
  trial_.reset();
}

void KafkaTransport::Drain(const std::function<void(const Report&)>& on_report) {
  main_->Drain(on_report);
  if (trial_) trial_->Drain(on_report);
}

void KafkaTransport::Recall(const std::string& reason) {
  main_->Recall(reason);
  if (trial_) trial_->Recall(reason);
}

void KafkaTransport::OnChannelActivity() {
  connected_gauge_.Set(Connected() ? 1 : 0);
  sent_counter_.Increment(static_cast<double>(sent_bytes()) - sent_counter_.Value());
  received_counter_.Increment(static_cast<double>(received_bytes()) - received_counter_.Value());
  if (on_activity_) on_activity_();
}

uint64_t KafkaTransport::sent_bytes() const {
  return earlier_sent_bytes_ + main_->sent_bytes() + (trial_ ? trial_->sent_bytes() : 0);
}

uint64_t KafkaTransport::received_bytes() const {
  return earlier_received_bytes_ + main_->received_bytes() +
         (trial_ ? trial_->received_bytes() : 0);
}

}  // namespace tidegate
