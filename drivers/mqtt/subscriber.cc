#include "drivers/mqtt/subscriber.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"

namespace tidegate {
namespace {

using std::chrono::seconds;

// A subscription that is not answered is asked for again after this.
constexpr seconds kSubscribeAgain{30};
constexpr int kMostDoublings = 5;
// Some brokers (aedes, Moquette) send what was unacknowledged only after the SUBACK.
constexpr seconds kSendsAgainWithin{5};
constexpr int kLeastSubackFailure = 0x80;

// At once after the first, because mochi refuses the first one of a resumed session; then less and
// less often.
seconds WaitAfterRefusals(int refusals) {
  CHECK(refusals > 0, "a refused subscription was counted");
  if (refusals == 1) return seconds(0);
  return std::min(kSubscribeAgain, seconds(1 << std::min(refusals - 2, kMostDoublings)));
}

}  // namespace

void Subscriber::Begin(MqttConnection& connection, bool session_resumed) {
  detail_ = fmt::format("connected, {}", VersionName(version_));
  Remember(session_resumed);
  Subscribe(connection);
  RemoveOld(connection);
}

// Before the SUBSCRIBE: whatever happens then, a later configuration can remove the subscription.
void Subscriber::Remember(bool session_resumed) {
  SessionRecord& session = shared_.session;
  Status status = session.Load();
  if (session.Begin(session_resumed)) shared_.journal.SessionLost();
  if (status.ok()) status = session.Save();
  if (!status.ok()) shared_.journal.Problem("remember the subscription", status.error().message);
}

void Subscriber::Subscribe(MqttConnection& connection) {
  subscribed_ = false;
  subscribe_at_ = shared_.clock.SinceBoot() + kSubscribeAgain;
  if (const Status status = connection.Subscribe(shared_.options.topic.filter()); !status.ok()) {
    shared_.journal.Problem("subscribing failed", status.error().message);
  }
}

// Together with the SUBSCRIBE and after it, so that no message falls between two subscriptions.
void Subscriber::RemoveOld(MqttConnection& connection) {
  for (const std::string& filter : shared_.session.OldFilters()) {
    const Result<int> id = connection.Unsubscribe(filter);
    if (id.ok()) {
      removals_.push_back({*id, filter});
    } else {
      shared_.journal.Problem("removing a subscription failed", id.error().message);
    }
  }
}

void Subscriber::OnUnsuback(int id) {
  const auto removal = std::ranges::find(removals_, id, &Removal::id);
  if (removal == removals_.end()) return;
  shared_.session.Removed(removal->filter);
  shared_.journal.Unsubscribed(removal->filter);
  removals_.erase(removal);
  if (!removals_.empty()) return;
  // What cannot be noted now is removed once more on the next connection.
  if (const Status status = shared_.session.Save(); !status.ok()) {
    shared_.journal.Problem("forget a removed subscription", status.error().message);
  }
}

void Subscriber::OnSuback(int granted) {
  if (!caught_up_at_.has_value()) {
    caught_up_at_ = shared_.clock.SinceBoot() + kSendsAgainWithin;
  }
  subscribed_ = granted < kLeastSubackFailure;
  shared_.journal.metrics().connected.Set(subscribed_ ? 1 : 0);
  if (!subscribed_) {
    Refused(granted);
    return;
  }
  subscribe_at_.reset();
  detail_ = fmt::format("connected, {}{}", VersionName(version_),
                        granted == 0 ? ", QoS 0 only: the broker may lose messages" : "");
}

void Subscriber::Refused(int reason) {
  shared_.journal.metrics().subscribe_refused.Increment();
  const std::string cause = reason == kLeastSubackFailure
                                ? "the broker gives no reason; look at its access rules"
                                : ConnackText(MqttVersion::k5, reason);
  detail_ = fmt::format("subscription to '{}' refused: {}", shared_.options.topic.filter(), cause);
  shared_.journal.Problem("subscription refused", cause);
  subscribe_at_ = shared_.clock.SinceBoot() + WaitAfterRefusals(++refusals_);
}

void Subscriber::DoWhatIsDue(MqttConnection& connection) {
  const BootTime now = shared_.clock.SinceBoot();
  if (caught_up_at_.has_value() && now >= *caught_up_at_) {
    shared_.intake.OnCaughtUp();
    caught_up_at_ = BootTime::max();
  }
  if (subscribe_at_.has_value() && now >= *subscribe_at_) Subscribe(connection);
}

}  // namespace tidegate
