// Offers what a connection brings to the inbox, in order, and counts what is not settled or not
// acknowledged yet. What the inbox has no room for is kept here, because libmosquitto has read it
// from the socket already. Outlives the connections of its input. Pure; one thread.
//
// Known loss: a message of QoS 0 that is kept here is lost with the process; the broker does not
// send it again.
//
// Invariants, with the check that guards each in intake.cc:
// - acknowledged <= settled <= accepted, counted in tickets: CheckBooks().
// - PUBACKs are written only while every accepted ticket is settled and nothing is kept:
//   Acknowledging(), Acknowledged().
// - A connection begins with nothing unsettled, kept or unacknowledged: OnSession().
// - Nothing is kept unless the inbox is full, so that order holds: CheckBooks().
// - Bytes are counted down no further than they were counted up: ConnectionLost().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/driver.h"
#include "drivers/mqtt/topic_template.h"

namespace tidegate {

struct MqttPublish {
  std::string_view topic;
  std::string_view payload;
  // The id of a message of QoS 1; nullopt for QoS 0, which is never acknowledged.
  std::optional<uint16_t> packet_id;
  // The broker kept it for new subscriptions.
  bool retained = false;
  // The bytes of its packet if it was too large, and only the beginning of it is here; else 0.
  size_t shortened_from = 0;
};

class Intake {
 public:
  // HasRoom() is false from either of these on. What one read brings may exceed them.
  struct Limits {
    size_t messages;
    size_t bytes;
  };

  // `topic` outlives the intake.
  Intake(const TopicTemplate& topic, Limits limits) : topic_(topic), limits_(limits) {}

  // `inbox` outlives the intake. REQUIRES: called once, before anything else.
  void Start(Inbox& inbox);

  // Offers the message, or keeps a copy while the inbox is full. Returns false if its topic does
  // not match the template: it is offered as one to be refused, never with the tags of the input.
  bool Take(const MqttPublish& publish);
  // Driver::Settled(). An older ticket than the last one changes nothing.
  void Settled(Ticket last);
  // Driver::Resume(): offers what is kept, as far as there is room.
  void Resume();

  // The broker has accepted a connection: passes that on to the inbox. `resumed`: the broker still
  // has our session. REQUIRES: safe(), and nothing is unacknowledged.
  void OnSession(bool resumed);
  // Passes on that the broker has finished sending again what was unacknowledged.
  void OnCaughtUp() { inbox_->OnCaughtUp(); }

  // PUBACKs for everything accepted are about to be written; from now on the broker may have them.
  // REQUIRES: safe().
  void Acknowledging();
  // They have been written. REQUIRES: safe(), and Acknowledging() was called since the last Take().
  void Acknowledged();
  // The connection has ended: drops kept messages of QoS 1, since the broker sends them again.
  // Returns how many messages of the connection were not acknowledged.
  size_t ConnectionLost();

  // False: read nothing more for now.
  bool HasRoom() const;
  // True if nothing is unsettled or kept: PUBACKs may be written, and a new connection may begin.
  bool safe() const { return settled_ == accepted_ && kept_.empty(); }
  // True if Driver::Settled() has still to come for an accepted message.
  bool owed() const { return settled_ != accepted_; }
  // True if the inbox has refused a message and Resume() has not offered it successfully since.
  bool blocked() const { return blocked_; }
  // Messages that are accepted and not settled, or kept.
  size_t unsettled() const { return static_cast<size_t>(accepted_ - settled_) + kept_.size(); }
  // Messages of QoS 1 that this connection brought since the last Acknowledged().
  size_t unacknowledged() const { return unacknowledged_; }

 private:
  struct Kept {
    std::string topic;
    std::string payload;
    std::optional<uint16_t> packet_id;
    bool retained;
    size_t shortened_from;
  };

  bool Offer(const MqttPublish& publish, const std::optional<TopicTags>& tags);
  void CheckBooks() const;

  const TopicTemplate& topic_;
  const Limits limits_;
  Inbox* inbox_ = nullptr;

  // The last tickets that the inbox has accepted, that are settled, and for which a PUBACK may have
  // been written.
  Ticket accepted_ = 0;
  Ticket settled_ = 0;
  Ticket acknowledged_ = 0;
  // Payload bytes accepted or kept since all was safe; an upper bound of what is unsettled.
  size_t unsettled_bytes_ = 0;
  size_t unacknowledged_ = 0;
  bool blocked_ = false;
  std::deque<Kept> kept_;
};

}  // namespace tidegate
