// A model of an MQTT broker that keeps one persistent session, and the driver that reads from it.
// A message stays with the broker until its acknowledgement arrives; when the connection is lost,
// what is unacknowledged is sent again with the same packet ids. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "drivers/driver.h"

namespace tidegate::simulation {

class Broker {
 public:
  struct Message {
    std::string topic;
    std::string tenant;
    std::string asset;
    std::string payload;
    // 0: not sent yet.
    uint16_t packet_id = 0;
  };

  explicit Broker(size_t window) : window_(window) {}

  void Publish(Message message) { messages_.push_back(std::move(message)); }
  // Returns the first message that is sent next, and gives it its packet id: of those at `from` and
  // after it. nullptr: there is none, or the window is full.
  const Message* Next(size_t from);
  // The session's oldest message is acknowledged. REQUIRES: it has been sent.
  void Acknowledge();

  // Messages that are sent and unacknowledged.
  size_t unacknowledged() const { return sent_; }
  bool window_full() const { return sent_ >= window_; }
  bool empty() const { return messages_.empty(); }
  size_t waiting() const { return messages_.size(); }
  // A session exists, because a driver has connected before.
  bool session = false;

 private:
  const size_t window_;
  std::deque<Message> messages_;
  // The first so many of them have been sent.
  size_t sent_ = 0;
  uint16_t next_id_ = 1;
};

// One connection of the agent to the broker. The driver's tickets number the messages in the order
// in which the broker sent them.
class SessionDriver final : public Driver {
 public:
  explicit SessionDriver(Broker& broker) : broker_(broker) {}

  Status Start(Loop& loop, Inbox& inbox) override;
  void Stop() override { stopped_ = true; }
  void Settled(Ticket last) override;
  void Resume() override { paused_ = false; }
  bool Starved() const override;
  DriverStatus status() const override { return {.connected = true, .detail = "connected"}; }

  // Sends the acknowledgements that are due, then offers what the broker sends.
  void Turn();
  // For people: what it waits for.
  std::string Waiting() const;
  // Loses the connection, with the acknowledgements that were not sent, and connects again. Does
  // nothing while an accepted ticket is not settled.
  void Reconnect();

 private:
  void Connect();
  void SendAcknowledgements();

  Broker& broker_;
  Inbox* inbox_ = nullptr;
  bool stopped_ = false;
  bool paused_ = false;
  Ticket accepted_ = 0;
  Ticket settled_ = 0;
  // Tickets whose acknowledgement has reached the broker.
  Ticket acknowledged_ = 0;
  // The place in the broker's queue of the next message to offer, after the accepted ones.
  size_t offered_ = 0;
  // Messages that are sent again, from the beginning of the session's queue.
  size_t repeated_ = 0;
  bool caught_up_ = false;
};

}  // namespace tidegate::simulation
