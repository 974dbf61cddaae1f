#include "tests/support/scripted_transport.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {

Status ScriptedTransport::Send(Seq seq, const WireMessage& message, Route route) {
  if (refused_topics_.contains(message.topic)) {
    return Error{ErrorCode::kUnavailable, "produce to " + message.topic + ": not authorized"};
  }
  if (max_value_bytes_ && message.value.size() > *max_value_bytes_) {
    return Error{ErrorCode::kRejected, "produce to " + message.topic + ": too large"};
  }
  if (room_ && pending_.size() >= *room_) return Error{ErrorCode::kFull, "produce: no room"};
  pending_.push_back({seq, message, route});
  return {};
}

void ScriptedTransport::Drain(const std::function<void(const Report&)>& on_report) {
  for (const Report& report : std::exchange(reports_, {})) on_report(report);
}

void ScriptedTransport::SetConnected(bool connected) {
  connected_ = connected;
  Activity();
}

void ScriptedTransport::AckAll() {
  while (!pending_.empty()) Answer(pending_.front().seq, Delivery::kAcked);
}

void ScriptedTransport::RetryAll() {
  while (!pending_.empty()) Answer(pending_.front().seq, Delivery::kRetry);
}

void ScriptedTransport::Recall(const std::string& reason) {
  while (!on_the_wire_ && !pending_.empty()) Answer(pending_.front().seq, Delivery::kReturned);
  for (Report& report : reports_) {
    if (report.delivery == Delivery::kReturned) report.reason = reason;
  }
  Activity();
}

void ScriptedTransport::AnswerRequests(const std::function<bool(const WireMessage&)>& refuses) {
  std::set<std::pair<std::string, Route>> refused;
  for (const Sent& sent : pending_) {
    if (refuses(sent.message)) refused.emplace(sent.message.topic, sent.route);
  }
  request_sizes_.push_back(pending_.size());
  while (!pending_.empty()) {
    const Sent& first = pending_.front();
    const bool bad = refused.contains({first.message.topic, first.route});
    Answer(first.seq, bad ? Delivery::kRejected : Delivery::kAcked);
  }
}

std::vector<Seq> ScriptedTransport::PendingSeqs() const {
  std::vector<Seq> seqs;
  for (const Sent& sent : pending_) seqs.push_back(sent.seq);
  return seqs;
}

void ScriptedTransport::Answer(Seq seq, Delivery delivery) {
  const auto found = std::ranges::find(pending_, seq, &Sent::seq);
  CHECK(found != pending_.end(), "only a pending message is answered");
  link_bytes_ += found->message.key.size() + found->message.value.size();
  if (delivery == Delivery::kAcked) {
    acked_.push_back(seq);
    delivered_.push_back(*found);
  }
  const char* reason = delivery == Delivery::kAcked      ? ""
                       : delivery == Delivery::kRejected ? "refused by the broker"
                                                         : "the link went away";
  reports_.push_back({seq, delivery, reason, refusal_});
  pending_.erase(found);
  Activity();
}

void ScriptedTransport::Activity() {
  if (on_activity_) on_activity_();
}

}  // namespace tidegate
