#include "tests/simulation/broker.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"

namespace tidegate::simulation {

const Broker::Message* Broker::Next(size_t from) {
  if (from >= messages_.size()) return nullptr;
  Message& message = messages_[from];
  if (from >= sent_) {
    if (sent_ >= window_) return nullptr;
    message.packet_id = next_id_;
    next_id_ = static_cast<uint16_t>(next_id_ == 65'535 ? 1 : next_id_ + 1);
    ++sent_;
  }
  return &message;
}

void Broker::Acknowledge() {
  CHECK(sent_ > 0, "only a message that was sent is acknowledged");
  messages_.pop_front();
  --sent_;
}

Status SessionDriver::Start(Loop&, Inbox& inbox) {
  inbox_ = &inbox;
  Connect();
  return {};
}

void SessionDriver::Connect() {
  offered_ = 0;
  repeated_ = broker_.unacknowledged();
  caught_up_ = false;
  inbox_->OnSession({.resumed = broker_.session, .acknowledged = settled_});
  broker_.session = true;
}

void SessionDriver::Settled(Ticket last) {
  settled_ = std::max(settled_, last);
}

bool SessionDriver::Starved() const {
  return accepted_ > settled_ && broker_.window_full();
}

void SessionDriver::SendAcknowledgements() {
  for (; acknowledged_ < settled_; ++acknowledged_) {
    broker_.Acknowledge();
    --offered_;
    if (repeated_ > 0) --repeated_;
  }
}

void SessionDriver::Turn() {
  SendAcknowledgements();
  while (!stopped_ && !paused_) {
    if (!caught_up_ && offered_ >= repeated_) {
      caught_up_ = true;
      inbox_->OnCaughtUp();
    }
    const Broker::Message* message = broker_.Next(offered_);
    if (message == nullptr) return;
    const Message offer{.payload = message->payload,
                        .tenant = message->tenant,
                        .asset = message->asset,
                        .origin = message->topic,
                        .packet_id = message->packet_id};
    if (!inbox_->Offer(offer, accepted_ + 1)) {
      paused_ = true;
      return;
    }
    ++accepted_;
    ++offered_;
  }
}

std::string SessionDriver::Waiting() const {
  return fmt::format("{} accepted, {} settled, {} sent by the broker{}{}", accepted_, settled_,
                     broker_.unacknowledged(), paused_ ? ", paused" : "",
                     caught_up_ ? "" : ", not caught up");
}

void SessionDriver::Reconnect() {
  if (accepted_ != settled_) return;
  acknowledged_ = settled_;  // What was not sent is lost with the connection.
  Connect();
}

}  // namespace tidegate::simulation
