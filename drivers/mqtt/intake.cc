#include "drivers/mqtt/intake.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tidegate {

bool Intake::Take(const MqttPublish& publish) {
  assert(inbox_ != nullptr);
  unsettled_bytes_ += publish.payload.size();
  if (publish.packet_id.has_value()) ++unacknowledged_;
  const std::optional<TopicTags> tags = topic_.Match(publish.topic);
  if (blocked_ || !kept_.empty() || !Offer(publish, tags.value_or(TopicTags()))) {
    kept_.push_back({std::string(publish.topic), std::string(publish.payload), publish.packet_id});
  }
  return tags.has_value();
}

bool Intake::Offer(const MqttPublish& publish, const TopicTags& tags) {
  const Message message{.payload = publish.payload,
                        .tenant = tags.tenant,
                        .asset = tags.asset,
                        .origin = publish.topic,
                        .packet_id = publish.packet_id};
  if (!inbox_->Offer(message, last_ + 1)) {
    blocked_ = true;
    return false;
  }
  ++last_;
  return true;
}

void Intake::Settled(Ticket last) {
  assert(last <= last_);
  settled_ = std::max(settled_, last);
  if (safe()) unsettled_bytes_ = 0;
}

void Intake::Resume() {
  blocked_ = false;
  while (!kept_.empty()) {
    const Kept& kept = kept_.front();
    const std::optional<TopicTags> tags = topic_.Match(kept.topic);
    if (!Offer({kept.topic, kept.payload, kept.packet_id}, tags.value_or(TopicTags()))) return;
    kept_.pop_front();
  }
}

void Intake::Acknowledged() {
  assert(safe());
  unacknowledged_ = 0;
}

size_t Intake::ConnectionLost() {
  for (const Kept& kept : kept_) {
    if (kept.packet_id.has_value()) unsettled_bytes_ -= kept.payload.size();
  }
  std::erase_if(kept_, [](const Kept& kept) { return kept.packet_id.has_value(); });
  if (safe()) unsettled_bytes_ = 0;
  return std::exchange(unacknowledged_, 0);
}

bool Intake::HasRoom() const {
  return !blocked_ && kept_.empty() && unsettled() < limits_.messages &&
         unsettled_bytes_ < limits_.bytes;
}

}  // namespace tidegate
