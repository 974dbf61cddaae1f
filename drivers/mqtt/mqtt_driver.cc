#include "drivers/mqtt/mqtt_driver.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace tidegate {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr nanoseconds kAtOnce{0};
// How often the library is asked about its keepalive: ten times in each, within reason.
constexpr int kTicksPerKeepalive = 10;
constexpr seconds kMostTick{10};

size_t Ceiling(const MqttOptions& options) {
  return std::min<size_t>(options.receive_maximum, options.max_unsettled);
}

}  // namespace

MqttDriver::MqttDriver(Input input, MqttOptions options, const Clock& clock, const Log& log,
                       Metrics& metrics)
    : input_(std::move(input)),
      options_(std::move(options)),
      clock_(clock),
      log_(log),
      metrics_(metrics, input_.name),
      version_choice_(options_.version),
      backoff_(options_.backoff, std::hash<std::string>()(options_.client_id) ^
                                     static_cast<uint64_t>(clock_.SinceBoot().count())),
      intake_(options_.topic, {options_.max_unsettled, options_.max_unsettled_bytes}),
      window_(Ceiling(options_)) {}

MqttDriver::~MqttDriver() {
  watch_.reset();
  // Writing sends the PUBACKs of all that has been read, so only if all that is safe.
  if (phase_ == Phase::kOnline && intake_.safe()) connection_->Disconnect();
}

Status MqttDriver::Start(Loop& loop, Inbox& inbox) {
  if (std::string problem = MqttOptionsProblem(options_); !problem.empty()) {
    return Error{ErrorCode::kInvalid, "input " + input_.name + ": " + problem};
  }
  loop_ = &loop;
  intake_.Start(inbox);
  resolver_.emplace(loop);
  phase_timer_ = loop.AddTimer([this] { OnPhaseTimer(); });
  tick_timer_ = loop.AddTimer([this] { Tick(); });
  resume_timer_ = loop.AddTimer([this] {
    intake_.Resume();
    UpdateWatch();
    DialWhenSafe();
  });
  Dial();
  return {};
}

void MqttDriver::Stop() {
  stopped_ = true;
  if (loop_ == nullptr) return;
  resume_timer_->Cancel();
  if (phase_ == Phase::kOnline) {
    UpdateWatch();
    return;
  }
  phase_timer_->Cancel();
  resolver_->Cancel();
  CloseConnection();
  detail_ = "stopped";
}

void MqttDriver::Settled(Ticket last) {
  intake_.Settled(last);
  Acknowledge();
  UpdateWatch();
  metrics_.unsettled.Set(static_cast<double>(intake_.unsettled()));
  DialWhenSafe();
}

// On the next turn, because the caller is the inbox, which is not to be called back from here.
void MqttDriver::Resume() {
  if (!stopped_) resume_timer_->After(kAtOnce);
}

bool MqttDriver::Starved() const {
  if (phase_ != Phase::kOnline || stopped_ || !intake_.owed()) return false;
  return !intake_.HasRoom() || (drained_ && window_.Reached());
}

DriverStatus MqttDriver::status() const {
  return {.connected = phase_ == Phase::kOnline && subscribed_,
          .detail = phase_ == Phase::kOnline && subscribed_
                        ? fmt::format("{}, window {}", detail_, window_.size())
                        : detail_};
}

void MqttDriver::OnReady(Ready ready) {
  if (phase_ == Phase::kConnecting) {
    OnReadyConnecting(ready);
    return;
  }
  if (ready.writable && writing_) Write();
  if (phase_ == Phase::kOnline && ready.readable) ReadBurst();
  if (phase_ == Phase::kOnline && ready.hung_up) Lost("the broker reset the connection");
}

bool MqttDriver::MayRead() const {
  return !stopped_ && !writing_ && intake_.HasRoom();
}

void MqttDriver::UpdateWatch() {
  if (phase_ != Phase::kOnline) return;
  const bool readable = MayRead();
  if (readable == wants_readable_ && writing_ == wants_writable_) return;
  wants_readable_ = readable;
  wants_writable_ = writing_;
  watch_->Want(readable, writing_);
}

void MqttDriver::ReadBurst() {
  drained_ = false;
  bool alive = true;
  while (alive && !drained_ && MayRead()) {
    const size_t before = burst_messages_;
    alive = connection_->Read();
    drained_ = burst_messages_ == before;
  }
  CountBurst();
  if (alive) {
    connection_->AcknowledgeSegments();
    UpdateWatch();
  } else {
    Lost(connection_->error());
  }
}

void MqttDriver::CountBurst() {
  const BootTime now = clock_.SinceBoot();
  window_.Arrived(std::exchange(burst_counted_, 0), now);
  if (intake_.unacknowledged() > 0 && !held_since_.has_value()) held_since_ = now;
  metrics_.messages.Increment(static_cast<double>(std::exchange(burst_messages_, 0)));
  metrics_.bytes.Increment(static_cast<double>(std::exchange(burst_bytes_, 0)));
  metrics_.unsettled.Set(static_cast<double>(intake_.unsettled()));
  if (const size_t unmatched = std::exchange(burst_unmatched_, 0); unmatched > 0) {
    metrics_.unmatched.Increment(static_cast<double>(unmatched));
    if (const auto events = unmatched_limit_.Count(now, unmatched)) {
      log_.Warning(
          "input {}: {} messages on topics that do not match '{}': an older subscription "
          "of client id '{}' is still in place at the broker",
          input_.name, *events, options_.topic.filter(), options_.client_id);
    }
  }
}

void MqttDriver::OnPublish(const MqttPublish& publish) {
  ++burst_messages_;
  burst_bytes_ += publish.payload.size();
  if (publish.packet_id.has_value()) ++burst_counted_;
  if (!intake_.Take(publish)) ++burst_unmatched_;
}

// Sends what is queued, if that acknowledges nothing that is not safe.
void MqttDriver::Acknowledge() {
  if (phase_ == Phase::kOnline && intake_.safe() && connection_->want_write()) Write();
}

void MqttDriver::Write() {
  intake_.Acknowledging();
  if (!connection_->Write()) {
    Lost(connection_->error());
    return;
  }
  if (intake_.unacknowledged() > 0) {
    window_.Acknowledged(clock_.SinceBoot());
    metrics_.window.Set(static_cast<double>(window_.size()));
    intake_.Acknowledged();
    held_since_.reset();
  }
  // The library has one queue: what is read before it is empty would be acknowledged with the rest.
  writing_ = connection_->want_write();
  UpdateWatch();
}

nanoseconds MqttDriver::TickInterval() const {
  return std::min<nanoseconds>(keepalive_ / kTicksPerKeepalive, kMostTick);
}

void MqttDriver::Tick() {
  if (phase_ != Phase::kOnline) return;
  const BootTime now = clock_.SinceBoot();
  if (!connection_->CheckKeepalive()) {
    Lost(connection_->error());
    return;
  }
  const nanoseconds tick = TickInterval();
  // The PINGREQ waits behind the PUBACKs, and the broker gives us up after one and a half.
  if (held_since_.has_value() && now - *held_since_ + tick > keepalive_ / 2) {
    Lost("what was read is not stored in time; the broker keeps it until it can be");
    return;
  }
  if (subscribe_at_.has_value() && now >= *subscribe_at_) Subscribe();
  Acknowledge();
  if (phase_ == Phase::kOnline) tick_timer_->After(tick);
}

}  // namespace tidegate
