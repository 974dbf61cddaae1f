// The half of MqttDriver that makes connections and ends them.

#include <algorithm>
#include <utility>

#include "drivers/mqtt/mqtt_driver.h"

namespace tidegate {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr nanoseconds kAtOnce{0};
// A connection that lasts this long was a good one: the next wait is short again.
constexpr seconds kGoodConnection{10};
// A refused subscription, or one that is not answered, is asked for again after this.
constexpr seconds kSubscribeAgain{30};

// Reasons of a CONNACK, MQTT 5 (3.2.2.2) and 3.1.1 (3.2.2.3).
constexpr int kUnspecified = 0x80;
constexpr int kMalformed = 0x81;
constexpr int kProtocolError = 0x82;
constexpr int kUnsupportedVersion = 0x84;
constexpr int kUnacceptableVersion311 = 1;
constexpr int kLeastSubackFailure = 0x80;

const char* VersionName(MqttVersion version) {
  return version == MqttVersion::k5 ? "MQTT 5" : "MQTT 3.1.1";
}

ConnectFailure FailureOf(MqttVersion version, int reason) {
  if (version == MqttVersion::k311) {
    return reason == kUnacceptableVersion311 ? ConnectFailure::kVersionRefused
                                             : ConnectFailure::kRefused;
  }
  if (reason == kUnsupportedVersion) return ConnectFailure::kVersionRefused;
  const bool vague = reason == kUnspecified || reason == kMalformed || reason == kProtocolError;
  return vague ? ConnectFailure::kClosed : ConnectFailure::kRefused;
}

}  // namespace

void MqttDriver::Dial() {
  phase_ = Phase::kAway;
  // What is unsettled will be sent again by the broker. Once it is settled, the pipeline knows it
  // again; and while the store is full there is nothing to connect for.
  dial_when_safe_ = !intake_.safe() || intake_.blocked();
  if (dial_when_safe_ || stopped_) return;
  version_ = version_choice_.Next(clock_.SinceBoot());
  if (!Resolver::NeedsLookup(options_.host)) {
    Open(options_.host);
    return;
  }
  phase_ = Phase::kResolving;
  const Status status = resolver_->Resolve(
      options_.host, [this](Resolver::Answer answer) { OnAddresses(std::move(answer)); });
  if (!status.ok()) Failed(ConnectFailure::kUnreachable, status.error().message);
}

void MqttDriver::OnAddresses(Resolver::Answer answer) {
  if (!answer.ok()) {
    Failed(ConnectFailure::kUnreachable, answer.error().message);
    return;
  }
  // The certificate is verified against the name that the library is given. Else it gets one
  // address at a time, because by itself it never goes on to the second.
  Open(options_.tls ? options_.host : (*answer)[next_address_++ % answer->size()]);
}

void MqttDriver::Open(const std::string& host) {
  Result<std::unique_ptr<MqttConnection>> opened =
      MqttConnection::Open(options_, version_, host, *this);
  if (!opened.ok()) {
    Failed(ConnectFailure::kUnreachable, opened.error().message);
    return;
  }
  phase_ = Phase::kConnecting;
  connection_ = std::move(*opened);
  tcp_connected_ = false;
  connack_.reset();
  watch_ = loop_->WatchFd(connection_->fd(), [this](Ready ready) { OnReady(ready); });
  wants_readable_ = true;
  wants_writable_ = true;
  watch_->Want(true, true);
  phase_timer_->After(options_.connect_timeout);
}

void MqttDriver::OnPhaseTimer() {
  if (phase_ == Phase::kAway) {
    Dial();
  } else if (phase_ == Phase::kConnecting) {
    const bool silent = tcp_connected_;
    Failed(silent ? ConnectFailure::kSilent : ConnectFailure::kUnreachable,
           fmt::format("connect to {}:{}: no {} in time", options_.host, options_.port,
                       silent ? "CONNACK" : "answer"));
  }
}

void MqttDriver::OnReadyConnecting(Ready ready) {
  if (!tcp_connected_) {
    if (const Status status = connection_->ConnectResult(); !status.ok()) {
      Failed(ConnectFailure::kUnreachable,
             fmt::format("{}:{}: {}", options_.host, options_.port, status.error().message));
      return;
    }
    tcp_connected_ = ready.writable;
  }
  const bool alive = Handshake(ready) && !ready.hung_up;
  CountBurst();
  if (!alive) {
    EndedEarly();
  } else if (phase_ == Phase::kOnline) {
    Online();
  } else {
    wants_writable_ = !tcp_connected_ || (!options_.tls && connection_->want_write());
    watch_->Want(true, wants_writable_);
  }
}

// One step towards the CONNACK. False: the connection has ended.
bool MqttDriver::Handshake(Ready ready) {
  // Both, whatever is ready: a TLS handshake goes on in Read() only, and CONNECT leaves in Write().
  // This acknowledges nothing: the first PUBLISH follows the CONNACK.
  if (!connection_->Read()) return false;
  if (connack_.has_value()) return true;
  if (!connection_->Write()) return false;
  // The library takes OpenSSL's SSL_ERROR_SYSCALL for progress, and would again at once, for ever.
  return !options_.tls || !ready.readable || !connection_->PeerClosed();
}

void MqttDriver::EndedEarly() {
  const std::string cause =
      connection_->error().empty() ? "the broker closed the connection" : connection_->error();
  if (phase_ == Phase::kOnline) {
    Lost(cause);
  } else if (connack_.has_value()) {
    Failed(FailureOf(version_, connack_->reason),
           fmt::format("the broker refuses us: {}", ConnackText(version_, connack_->reason)));
  } else {
    Failed(connection_->tls_failed() ? ConnectFailure::kUnreachable : ConnectFailure::kClosed,
           fmt::format("before the CONNACK: {}", cause));
  }
}

void MqttDriver::OnConnack(const MqttConnection::Connack& connack) {
  connack_ = connack;
  if (connack.reason != 0) return;
  // Here and not after Read(): with TLS that may bring messages as well.
  phase_ = Phase::kOnline;
  online_since_ = clock_.SinceBoot();
  version_choice_.Accepted(online_since_);
  window_.Connected();
  drained_ = false;
  writing_ = false;
  held_since_.reset();
  intake_.OnSession(connack.session_present);
}

void MqttDriver::Online() {
  phase_timer_->Cancel();
  connection_->StopLogging();
  keepalive_ = connack_->keepalive.value_or(options_.keepalive);
  if (keepalive_ == nanoseconds::zero()) keepalive_ = options_.keepalive;
  if (std::exchange(ever_online_, true)) metrics_.reconnects.Increment();
  detail_ = fmt::format("connected, {}", VersionName(version_));
  if (online_limit_.Count(online_since_).has_value()) {
    log_.Info("input {}: connected to {}:{}, {}, session {}", input_.name, options_.host,
              options_.port, VersionName(version_), connack_->session_present ? "resumed" : "new");
  }
  Subscribe();
  Acknowledge();
  if (phase_ != Phase::kOnline) return;
  tick_timer_->After(TickInterval());
  UpdateWatch();
}

void MqttDriver::Subscribe() {
  subscribed_ = false;
  subscribe_at_ = clock_.SinceBoot() + kSubscribeAgain;
  if (const Status status = connection_->Subscribe(options_.topic.filter()); !status.ok()) {
    Report("subscribing failed", status.error().message);
  }
}

void MqttDriver::OnSuback(int granted) {
  intake_.OnCaughtUp();
  subscribed_ = granted < kLeastSubackFailure;
  metrics_.connected.Set(subscribed_ ? 1 : 0);
  if (!subscribed_) {
    metrics_.subscribe_refused.Increment();
    const std::string cause = granted == kLeastSubackFailure
                                  ? "the broker gives no reason; look at its access rules"
                                  : ConnackText(MqttVersion::k5, granted);
    detail_ = fmt::format("subscription to '{}' refused: {}", options_.topic.filter(), cause);
    Report("subscription refused", cause);
    return;
  }
  subscribe_at_.reset();
  detail_ = fmt::format("connected, {}{}", VersionName(version_),
                        granted == 0 ? ", QoS 0 only: the broker may lose messages" : "");
}

void MqttDriver::Failed(ConnectFailure failure, const std::string& cause) {
  version_choice_.Failed(failure, clock_.SinceBoot());
  metrics_.connect_failures.Increment();
  const std::string told = fmt::format("{} ({})", cause, VersionName(version_));
  CloseConnection();
  detail_ = told;
  Report("cannot connect", told);
  DialLater();
}

void MqttDriver::Lost(const std::string& cause) {
  const std::string told = cause;  // It may live in what is closed next.
  if (clock_.SinceBoot() - online_since_ >= kGoodConnection) backoff_.Reset();
  CloseConnection();
  detail_ = told;
  Report("connection lost", told);
  DialLater();
}

void MqttDriver::CloseConnection() {
  phase_ = Phase::kAway;
  phase_timer_->Cancel();
  tick_timer_->Cancel();
  watch_.reset();
  connection_.reset();
  subscribed_ = false;
  held_since_.reset();
  subscribe_at_.reset();
  metrics_.not_acknowledged.Increment(static_cast<double>(intake_.ConnectionLost()));
  metrics_.connected.Set(0);
  metrics_.unsettled.Set(static_cast<double>(intake_.unsettled()));
}

void MqttDriver::DialLater() {
  if (stopped_) return;
  phase_timer_->After(version_choice_.retry_at_once() ? kAtOnce : nanoseconds(backoff_.Next()));
}

void MqttDriver::DialWhenSafe() {
  if (dial_when_safe_ && intake_.safe() && !intake_.blocked() && !stopped_) {
    dial_when_safe_ = false;
    phase_timer_->After(kAtOnce);
  }
}

void MqttDriver::Report(const char* what, const std::string& cause) {
  if (const auto events = report_limit_.Count(clock_.SinceBoot())) {
    log_.Warning("input {}: {}: {} ({} such events since the last line)", input_.name, what, cause,
                 *events);
  }
}

}  // namespace tidegate
