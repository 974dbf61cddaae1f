#include "drivers/mqtt/intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {
// Empty: nothing speaks against the message.
std::string WhyRefused(const MqttPublish& publish, bool matches) {
  if (publish.shortened_from > 0) {
    return fmt::format("a packet of {} bytes is too large; only its beginning is kept",
                       publish.shortened_from);
  }
  return matches ? ""
                 : "the topic does not match the input's: it was sent for an older subscription";
}
// The size of a shortened message's payload, 0 for a whole one. Its packet holds two sizes or ids
// of two bytes and the topic beside it.
uint64_t WholeBytes(const MqttPublish& publish) {
  const uint64_t head = 2 + publish.topic.size() + (publish.packet_id ? 2 : 0);
  return publish.shortened_from > head ? publish.shortened_from - head : 0;
}
}  // namespace

void Intake::Start(Inbox& inbox) {
  CHECK(inbox_ == nullptr, "an intake is started once");
  inbox_ = &inbox;
}

void Intake::CheckBooks() const {
  CHECK(acknowledged_ <= settled_, "only settled tickets are acknowledged");
  CHECK(settled_ <= accepted_, "only accepted tickets are settled");
  CHECK(kept_.empty() || blocked_, "a message is kept only while the inbox is full");
}

bool Intake::Take(const MqttPublish& publish) {
  CHECK(inbox_ != nullptr, "an intake is started before it takes messages");
  unsettled_bytes_ += publish.payload.size();
  if (publish.packet_id.has_value()) ++unacknowledged_;
  const std::optional<TopicTags> tags = topic_.Match(publish.topic);
  if (blocked_ || !Offer(publish, tags)) {
    kept_.push_back({std::string(publish.topic), std::string(publish.payload), publish.packet_id,
                     publish.retained, publish.shortened_from});
  }
  CheckBooks();
  return tags.has_value();
}

bool Intake::Offer(const MqttPublish& publish, const std::optional<TopicTags>& tags) {
  const std::string refused = WhyRefused(publish, tags.has_value());
  const Message message{.payload = publish.payload,
                        .tenant = tags ? tags->tenant : std::string_view(),
                        .asset = tags ? tags->asset : std::string_view(),
                        .origin = publish.topic,
                        .refused = refused,
                        .retained = publish.retained,
                        .packet_id = publish.packet_id,
                        .whole_bytes = WholeBytes(publish)};
  if (!inbox_->Offer(message, accepted_ + 1)) {
    blocked_ = true;
    return false;
  }
  ++accepted_;
  return true;
}

void Intake::Settled(Ticket last) {
  CHECK(last <= accepted_, "only accepted tickets are settled");
  settled_ = std::max(settled_, last);
  if (safe()) unsettled_bytes_ = 0;
}

void Intake::Resume() {
  blocked_ = false;
  while (!kept_.empty() && !blocked_) {
    const Kept& kept = kept_.front();
    const MqttPublish publish{kept.topic, kept.payload, kept.packet_id, kept.retained,
                              kept.shortened_from};
    if (Offer(publish, topic_.Match(kept.topic))) kept_.pop_front();
  }
  CheckBooks();
}

void Intake::OnSession(bool resumed) {
  CHECK(safe(), "a connection begins with everything settled");
  CHECK(unacknowledged_ == 0, "a connection begins with nothing unacknowledged");
  inbox_->OnSession({.resumed = resumed, .acknowledged = acknowledged_});
}

void Intake::Acknowledging() {
  CHECK(safe(), "only settled messages are acknowledged");
  acknowledged_ = accepted_;
}

void Intake::Acknowledged() {
  CHECK(safe(), "only settled messages are acknowledged");
  CHECK(acknowledged_ == accepted_, "Acknowledging() comes before the PUBACKs are written");
  unacknowledged_ = 0;
}

size_t Intake::ConnectionLost() {
  for (const Kept& kept : kept_) {
    if (!kept.packet_id.has_value()) continue;
    CHECK(kept.payload.size() <= unsettled_bytes_, "the bytes of a kept message are counted");
    unsettled_bytes_ -= kept.payload.size();
  }
  std::erase_if(kept_, [](const Kept& kept) { return kept.packet_id.has_value(); });
  if (safe()) unsettled_bytes_ = 0;
  CheckBooks();
  return std::exchange(unacknowledged_, 0);
}

bool Intake::HasRoom() const {
  return !blocked_ && kept_.empty() && unsettled() < limits_.messages &&
         unsettled_bytes_ < limits_.bytes;
}

}  // namespace tidegate
