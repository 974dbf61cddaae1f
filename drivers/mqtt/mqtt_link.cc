#include "drivers/mqtt/mqtt_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

// How often the library is asked about its keepalive: ten times in each, within reason.
constexpr int kTicksPerKeepalive = 10;
constexpr seconds kMostTick{10};

// Reasons of a CONNACK, MQTT 5 (3.2.2.2) and 3.1.1 (3.2.2.3).
constexpr int kUnspecified = 0x80;
constexpr int kMalformed = 0x81;
constexpr int kProtocolError = 0x82;
constexpr int kUnsupportedVersion = 0x84;
constexpr int kUnacceptableVersion311 = 1;

ConnectFailure FailureOf(MqttVersion version, int reason) {
  if (version == MqttVersion::k311) {
    return reason == kUnacceptableVersion311 ? ConnectFailure::kVersionRefused
                                             : ConnectFailure::kRefused;
  }
  // Moquette refuses the version by the number of 3.1.1 in a CONNACK of MQTT 5.
  if (reason == kUnsupportedVersion || reason == kUnacceptableVersion311) {
    return ConnectFailure::kVersionRefused;
  }
  const bool vague = reason == kUnspecified || reason == kMalformed || reason == kProtocolError;
  return vague ? ConnectFailure::kClosed : ConnectFailure::kRefused;
}

}  // namespace

MqttLink::MqttLink(const MqttShared& shared, MqttVersion version, OnEnd on_end)
    : shared_(shared), version_(version), on_end_(std::move(on_end)), subscriber_(shared, version) {
  CHECK(on_end_ != nullptr, "a link has an owner that waits for its end");
}

MqttLink::~MqttLink() = default;

Result<std::unique_ptr<MqttLink>> MqttLink::Open(const MqttShared& shared, MqttVersion version,
                                                 const std::string& host, OnEnd on_end) {
  std::unique_ptr<MqttLink> link(new MqttLink(shared, version, std::move(on_end)));
  Result<std::unique_ptr<MqttConnection>> opened =
      MqttConnection::Open(shared.options, version, host, *link);
  if (!opened.ok()) return opened.error();
  link->Watch(std::move(*opened));
  return link;
}

void MqttLink::Watch(std::unique_ptr<MqttConnection> connection) {
  connection_ = std::move(connection);
  tick_timer_ = shared_.loop.AddTimer([this] { OnTick(); });
  read_timer_ = shared_.loop.AddTimer([this] { OnReadTimer(); });
  connect_timer_ = shared_.loop.AddTimer([this] { OnConnectTimeout(); });
  connect_timer_->After(shared_.options.connect_timeout);
  watch_ = shared_.loop.WatchFd(connection_->fd(), [this](Ready ready) { OnReady(ready); });
  watch_->Want(wants_readable_, wants_writable_);
}

void MqttLink::OnReady(Ready ready) {
  if (phase_ == Phase::kConnecting) {
    Advance(ready);
  } else {
    if (ready.writable && writing_) Write();
    if (online() && ready.readable) ReadBurst();
    if (online() && ready.hung_up) Ended({}, "the broker reset the connection");
  }
  ReportEnd();
}

void MqttLink::OnConnectTimeout() {
  if (phase_ != Phase::kConnecting) return;
  const bool silent = tcp_connected_;
  Ended(silent ? ConnectFailure::kSilent : ConnectFailure::kUnreachable,
        fmt::format("connect to {}:{}: no {} in time", shared_.options.host, shared_.options.port,
                    silent ? "CONNACK" : "answer"));
  ReportEnd();
}

void MqttLink::Advance(Ready ready) {
  if (!tcp_connected_) {
    if (const Status status = connection_->ConnectResult(); !status.ok()) {
      Ended(ConnectFailure::kUnreachable,
            fmt::format("{}:{}: {}", shared_.options.host, shared_.options.port,
                        status.error().message));
      return;
    }
    tcp_connected_ = ready.writable;
  }
  const bool alive = Handshake() && !ready.hung_up;
  CountBurst();
  if (!alive) {
    EndedEarly();
  } else if (online()) {
    Online();
  } else {
    wants_writable_ = !tcp_connected_ || (!shared_.options.tls && connection_->want_write());
    watch_->Want(true, wants_writable_);
  }
}

// One step towards the CONNACK. False: the connection has ended.
bool MqttLink::Handshake() {
  // Both, whatever is ready: a TLS handshake continues in either. This acknowledges nothing: the
  // first PUBLISH follows the CONNACK.
  do {
    if (!connection_->Read()) return false;
    if (connack_.has_value()) return true;
  } while (connection_->buffered());
  return connection_->Write();
}

void MqttLink::EndedEarly() {
  const std::string cause =
      connection_->error().empty() ? "the broker closed the connection" : connection_->error();
  if (online()) {
    Ended({}, cause);
  } else if (connack_.has_value()) {
    Ended(FailureOf(version_, connack_->reason),
          fmt::format("the broker refuses us: {}", ConnackText(version_, connack_->reason)));
  } else {
    Ended(connection_->tls_failed() ? ConnectFailure::kUnreachable : ConnectFailure::kClosed,
          fmt::format("before the CONNACK: {}", cause));
  }
}

void MqttLink::OnConnack(const MqttConnection::Connack& connack) {
  CHECK(!connack_.has_value(), "a connection reports one CONNACK");
  connack_ = connack;
  if (connack.reason != 0) return;
  // Here and not after Read(): with TLS the same Read() may bring messages as well.
  phase_ = Phase::kOnline;
  online_since_ = shared_.clock.SinceBoot();
  shared_.window.Connected();
  shared_.intake.OnSession(connack.session_present);
}

void MqttLink::Online() {
  connect_timer_->Cancel();
  connection_->StopLogging();
  keepalive_ = connack_->keepalive.value_or(shared_.options.keepalive);
  if (keepalive_ == nanoseconds::zero()) keepalive_ = shared_.options.keepalive;
  shared_.journal.Connected(version_, connack_->session_present);
  subscriber_.Begin(*connection_, connack_->session_present);
  Acknowledge();
  if (!online()) return;
  tick_timer_->After(TickInterval());
  UpdateWatch();
}

void MqttLink::OnSuback(int granted) {
  subscriber_.OnSuback(granted);
}

void MqttLink::OnUnsuback(int id) {
  subscriber_.OnUnsuback(id);
}

bool MqttLink::MayRead() const {
  return !stopped_ && !writing_ && shared_.intake.HasRoom();
}

void MqttLink::UpdateWatch() {
  if (!online()) return;
  const bool readable = MayRead();
  if (readable && connection_->buffered()) read_timer_->After(nanoseconds::zero());
  if (readable == wants_readable_ && writing_ == wants_writable_) return;
  wants_readable_ = readable;
  wants_writable_ = writing_;
  watch_->Want(readable, writing_);
}

void MqttLink::OnReadTimer() {
  if (online() && MayRead()) ReadBurst();
  ReportEnd();
}

void MqttLink::ReadBurst() {
  drained_ = false;
  bool alive = true;
  while (alive && !drained_ && MayRead()) {
    const size_t before = burst_.messages;
    alive = connection_->Read();
    drained_ = burst_.messages == before && !connection_->buffered();
  }
  CountBurst();
  if (!alive) {
    Ended({}, connection_->error());
    return;
  }
  connection_->AcknowledgeSegments();
  subscriber_.DoWhatIsDue(*connection_);
  Acknowledge();
  UpdateWatch();
}

void MqttLink::OnPublish(const MqttPublish& publish) {
  CHECK(online(), "no message comes before the CONNACK or after the end");
  ++burst_.messages;
  burst_.bytes += publish.payload.size();
  if (publish.packet_id.has_value()) ++burst_.counted;
  if (!shared_.intake.Take(publish)) ++burst_.unmatched;
}

void MqttLink::CountBurst() {
  const Burst burst = std::exchange(burst_, {});
  const BootTime now = shared_.clock.SinceBoot();
  shared_.window.Arrived(burst.counted, now);
  if (shared_.intake.unacknowledged() > 0 && !held_since_.has_value()) held_since_ = now;
  MqttMetrics& metrics = shared_.journal.metrics();
  metrics.messages.Increment(static_cast<double>(burst.messages));
  metrics.bytes.Increment(static_cast<double>(burst.bytes));
  metrics.unsettled.Set(static_cast<double>(shared_.intake.unsettled()));
  if (burst.unmatched > 0) shared_.journal.Unmatched(burst.unmatched);
}

void MqttLink::OnSettled() {
  Acknowledge();
  UpdateWatch();
  ReportEnd();
}

void MqttLink::StopReading() {
  stopped_ = true;
  UpdateWatch();
}

bool MqttLink::Starved() const {
  if (!online() || stopped_ || !shared_.intake.owed()) return false;
  return !shared_.intake.HasRoom() || (drained_ && shared_.window.Reached());
}

// Sends what is queued, if that acknowledges only what is safe.
void MqttLink::Acknowledge() {
  if (online() && shared_.intake.safe() && connection_->want_write()) Write();
}

void MqttLink::Write() {
  CHECK(burst_.messages == 0, "a burst is counted before it is acknowledged");
  CHECK(shared_.window.unacknowledged() == shared_.intake.unacknowledged(),
        "the window and the intake count the same messages");
  shared_.intake.Acknowledging();
  if (!connection_->Write()) {
    Ended({}, connection_->error());
    return;
  }
  if (shared_.intake.unacknowledged() > 0) {
    shared_.window.Acknowledged(shared_.clock.SinceBoot());
    shared_.journal.metrics().window.Set(static_cast<double>(shared_.window.size()));
    shared_.intake.Acknowledged();
    held_since_.reset();
  }
  // The library has one queue: what is read before it is empty would be acknowledged with the rest.
  writing_ = connection_->want_write();
  UpdateWatch();
}

void MqttLink::Disconnect() {
  watch_.reset();
  // Writing sends the PUBACKs of all that has been read, so only if all of that is safe.
  if (online() && shared_.intake.safe()) connection_->Disconnect();
}

nanoseconds MqttLink::TickInterval() const {
  return std::min<nanoseconds>(keepalive_ / kTicksPerKeepalive, kMostTick);
}

void MqttLink::OnTick() {
  if (online()) Tick();
  ReportEnd();
}

void MqttLink::Tick() {
  const BootTime now = shared_.clock.SinceBoot();
  if (!connection_->CheckKeepalive()) {
    Ended({}, connection_->error());
    return;
  }
  const nanoseconds tick = TickInterval();
  // The PINGREQ is queued after the PUBACKs, and the broker drops a client that is silent for one
  // and a half keepalives.
  if (held_since_.has_value() && now - *held_since_ + tick > keepalive_ / 2) {
    Ended({}, "what was read is not stored in time; the broker keeps it until it can be");
    return;
  }
  subscriber_.DoWhatIsDue(*connection_);
  Acknowledge();
  if (online()) tick_timer_->After(tick);
}

void MqttLink::Ended(std::optional<ConnectFailure> failure, std::string cause) {
  CHECK(phase_ != Phase::kEnded, "a link ends once");
  CHECK(failure.has_value() != online(), "connecting fails only before the link is online");
  end_.failure = failure;
  end_.cause = std::move(cause);
  if (connection_->violated()) shared_.journal.metrics().violations.Increment();
  if (online()) end_.online_for = shared_.clock.SinceBoot() - online_since_;
  phase_ = Phase::kEnded;
}

void MqttLink::ReportEnd() {
  if (phase_ != Phase::kEnded) return;
  CHECK(on_end_ != nullptr, "the owner destroys a link whose end it has been given");
  // Both leave the link first, because the call destroys it.
  const OnEnd on_end = std::exchange(on_end_, nullptr);
  const End end = std::move(end_);
  on_end(end);
}

}  // namespace tidegate
