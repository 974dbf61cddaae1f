#include "drivers/mqtt/mqtt_driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr nanoseconds kAtOnce{0};
// A connection that lasts this long was a good one: the next wait is short again.
constexpr seconds kGoodConnection{10};

size_t Ceiling(const MqttOptions& options) {
  return std::min<size_t>(options.receive_maximum, options.max_unsettled);
}

std::string SessionName(const MqttOptions& options) {
  return fmt::format("{}@{}:{}", options.client_id, options.host, options.port);
}

}  // namespace

MqttDriver::MqttDriver(Input input, MqttOptions options, const Clock& clock, const Log& log,
                       Metrics& metrics, DriverNotes& notes)
    : input_(std::move(input)),
      options_(std::move(options)),
      clock_(clock),
      journal_(input_.name, options_, clock, log, metrics),
      version_choice_(options_.version),
      backoff_(options_.backoff, std::hash<std::string>()(options_.client_id) ^
                                     static_cast<uint64_t>(clock_.SinceBoot().count())),
      intake_(options_.topic, {options_.max_unsettled, options_.max_unsettled_bytes}),
      window_(Ceiling(options_)),
      session_("mqtt." + input_.name, SessionName(options_), options_.topic.filter(), notes) {}

MqttDriver::~MqttDriver() {
  if (link_ != nullptr) link_->Disconnect();
}

Status MqttDriver::Start(Loop& loop, Inbox& inbox) {
  CHECK(loop_ == nullptr, "a driver is started once");
  if (std::string problem = MqttOptionsProblem(options_); !problem.empty()) {
    return Error{ErrorCode::kInvalid, "input " + input_.name + ": " + problem};
  }
  loop_ = &loop;
  intake_.Start(inbox);
  resolver_.emplace(loop);
  dial_timer_ = loop.AddTimer([this] { Dial(); });
  resume_timer_ = loop.AddTimer([this] {
    intake_.Resume();
    if (link_ != nullptr) link_->OnRoom();
    DialWhenSafe();
  });
  Dial();
  return {};
}

void MqttDriver::Stop() {
  stopped_ = true;
  if (loop_ == nullptr) return;
  resume_timer_->Cancel();
  if (link_ != nullptr && link_->online()) {
    link_->StopReading();
    return;
  }
  resolver_->Cancel();
  CloseLink();
  detail_ = "stopped";
}

void MqttDriver::Settled(Ticket last) {
  intake_.Settled(last);
  if (link_ != nullptr) link_->OnSettled();
  journal_.metrics().unsettled.Set(static_cast<double>(intake_.unsettled()));
  DialWhenSafe();
}

// On the next turn, because the caller is the inbox, which is not to be called back from here.
void MqttDriver::Resume() {
  if (resume_timer_ != nullptr && !stopped_) resume_timer_->After(kAtOnce);
}

DriverStatus MqttDriver::status() const {
  if (link_ == nullptr || !link_->online()) return {.connected = false, .detail = detail_};
  if (!link_->subscribed()) return {.connected = false, .detail = link_->detail()};
  const uint64_t lost = journal_.sessions_lost();
  return {.connected = true,
          .detail = fmt::format(
              "{}, window {}{}", link_->detail(), window_.size(),
              lost == 0 ? "" : fmt::format("; the broker has lost our session {} time(s)", lost))};
}

void MqttDriver::Dial() {
  CHECK(link_ == nullptr, "a driver has one connection at a time");
  // What is unsettled will be sent again by the broker. Once it is settled, the pipeline recognises
  // it; and while the store is full there is nothing to connect for.
  dial_when_safe_ = !intake_.safe() || intake_.blocked();
  if (dial_when_safe_ || stopped_) return;
  version_ = version_choice_.Next(clock_.SinceBoot());
  if (!Resolver::NeedsLookup(options_.host)) {
    OpenLink(options_.host);
    return;
  }
  const Status status = resolver_->Resolve(
      options_.host, [this](Resolver::Answer answer) { OnAddresses(std::move(answer)); });
  if (!status.ok()) ConnectFailed(ConnectFailure::kUnreachable, status.error().message);
}

void MqttDriver::OnAddresses(Resolver::Answer answer) {
  if (!answer.ok()) {
    ConnectFailed(ConnectFailure::kUnreachable, answer.error().message);
    return;
  }
  // One address at a time, because the library never tries the second by itself.
  OpenLink((*answer)[next_address_++ % answer->size()]);
}

void MqttDriver::OpenLink(const std::string& host) {
  CHECK(link_ == nullptr && intake_.safe(), "a connection begins with everything settled");
  auto opened =
      MqttLink::Open(MqttShared{options_, clock_, *loop_, journal_, intake_, window_, session_},
                     version_, host, [this](const MqttLink::End& end) { OnLinkEnd(end); });
  if (opened.ok()) {
    link_ = std::move(*opened);
  } else {
    ConnectFailed(ConnectFailure::kUnreachable, opened.error().message);
  }
}

void MqttDriver::OnLinkEnd(const MqttLink::End& end) {
  if (end.failure.has_value()) {
    ConnectFailed(*end.failure, end.cause);
    return;
  }
  version_choice_.Accepted();
  if (end.online_for >= kGoodConnection) backoff_.Reset();
  CloseLink();
  detail_ = end.cause;
  journal_.Problem("connection lost", detail_);
  DialLater();
}

void MqttDriver::ConnectFailed(ConnectFailure failure, const std::string& cause) {
  version_choice_.Failed(failure, clock_.SinceBoot());
  journal_.metrics().connect_failures.Increment();
  CloseLink();
  detail_ = fmt::format("{} ({})", cause, VersionName(version_));
  journal_.Problem("cannot connect", detail_);
  DialLater();
}

void MqttDriver::CloseLink() {
  dial_timer_->Cancel();
  link_.reset();
  MqttMetrics& metrics = journal_.metrics();
  metrics.not_acknowledged.Increment(static_cast<double>(intake_.ConnectionLost()));
  metrics.connected.Set(0);
  metrics.unsettled.Set(static_cast<double>(intake_.unsettled()));
}

void MqttDriver::DialLater() {
  if (stopped_) return;
  dial_timer_->After(version_choice_.retry_at_once() ? kAtOnce : nanoseconds(backoff_.Next()));
}

void MqttDriver::DialWhenSafe() {
  if (dial_when_safe_ && intake_.safe() && !intake_.blocked() && !stopped_) {
    dial_when_safe_ = false;
    dial_timer_->After(kAtOnce);
  }
}

}  // namespace tidegate
