// Takes what a connection brings to the inbox, in order, and keeps count of what is not safe yet.
// What the inbox has no room for is kept here: libmosquitto has already taken it from the socket.
// Pure; one thread.
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
  std::optional<uint16_t> packet_id;  // Of QoS 1; nullopt for QoS 0, which is never acknowledged.
};

class Intake {
 public:
  struct Limits {
    size_t messages;
    size_t bytes;
  };

  // `topic` outlives the intake.
  Intake(const TopicTemplate& topic, Limits limits) : topic_(topic), limits_(limits) {}

  // `inbox` outlives the intake. Before anything else.
  void Start(Inbox& inbox) { inbox_ = &inbox; }

  // Offers the message, or keeps a copy while the inbox is full. False: its topic does not match
  // the template; it is taken all the same, without tags.
  bool Take(const MqttPublish& publish);
  // Driver::Settled.
  void Settled(Ticket last);
  // Driver::Resume: offers again what is kept.
  void Resume();

  // The broker has told whether it resumes our session: passed on to the inbox.
  void OnSession(bool resumed) {
    inbox_->OnSession({.resumed = resumed, .acknowledged = acknowledged_});
  }
  // What the broker sends again comes before this: passed on.
  void OnCaughtUp() { inbox_->OnCaughtUp(); }

  // What was taken is about to be acknowledged, for all we know. REQUIRES: safe().
  void Acknowledging() { acknowledged_ = last_; }
  // Everything that was unacknowledged is acknowledged now. REQUIRES: safe().
  void Acknowledged();
  // The connection is gone: kept messages of QoS 1 are given up, since the broker sends them again.
  // Returns how many messages it takes back unacknowledged.
  size_t ConnectionLost();

  // False: read no more for now.
  bool HasRoom() const;
  // Nothing is unsettled or kept: acknowledgements may go out, and a new connection may begin.
  bool safe() const { return settled_ == last_ && kept_.empty(); }
  // Driver::Settled() is still to come for something.
  bool owed() const { return settled_ != last_; }
  // The inbox is full.
  bool blocked() const { return blocked_; }
  size_t unsettled() const { return static_cast<size_t>(last_ - settled_) + kept_.size(); }
  // Of QoS 1 and of this connection.
  size_t unacknowledged() const { return unacknowledged_; }

 private:
  struct Kept {
    std::string topic;
    std::string payload;
    std::optional<uint16_t> packet_id;
  };

  bool Offer(const MqttPublish& publish, const TopicTags& tags);

  const TopicTemplate& topic_;
  Limits limits_;
  Inbox* inbox_ = nullptr;

  Ticket last_ = 0;
  Ticket settled_ = 0;
  Ticket acknowledged_ = 0;     // None above it has been acknowledged to the broker.
  size_t unsettled_bytes_ = 0;  // Counted down only when all is safe, or given up.
  size_t unacknowledged_ = 0;
  bool blocked_ = false;
  std::deque<Kept> kept_;
};

}  // namespace tidegate
