// A Transport that a test controls: it accepts messages, keeps them, and reports on them when the
// test calls for it. One thread.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "uplink/transport.h"

namespace tidegate {

class ScriptedTransport final : public Transport {
 public:
  struct Sent {
    Seq seq;
    WireMessage message;
    Route route;
  };

  Status Send(Seq seq, const WireMessage& message, Route route) override;
  void Drain(const std::function<void(const Report&)>& on_report) override;
  void Recall(const std::string& reason) override;
  void OnActivity(std::function<void()> callback) override { on_activity_ = std::move(callback); }
  bool Connected() const override { return connected_; }
  // Bytes of the keys and values that were answered, uncompressed.
  uint64_t LinkBytes() const override { return link_bytes_; }

  // Send() returns kFull while this many messages are pending.
  void SetRoom(size_t records) { room_ = records; }
  void SetConnected(bool connected);
  // Send() returns kUnavailable for this topic, until AllowTopic().
  void RefuseTopic(const std::string& topic) { refused_topics_.insert(topic); }
  void AllowTopic(const std::string& topic) { refused_topics_.erase(topic); }
  // Send() returns kRejected for larger values.
  void SetMaxValueBytes(size_t bytes) { max_value_bytes_ = bytes; }

  // Reports on a message. REQUIRES: it is pending.
  void Ack(Seq seq) { Answer(seq, Delivery::kAcked); }
  void Retry(Seq seq) { Answer(seq, Delivery::kRetry); }
  void Reject(Seq seq) { Answer(seq, Delivery::kRejected); }
  void Return(Seq seq) { Answer(seq, Delivery::kReturned); }
  void AckAll();
  void RetryAll();
  // Answers the pending messages like a broker that gets one request for each topic and route: it
  // refuses all messages of a request for one that `refuses` holds for, and acknowledges the
  // others.
  void AnswerRequests(const std::function<bool(const WireMessage&)>& refuses);

  // Everything pending is in requests that the broker has received: a recall returns none of it.
  void SetOnTheWire(bool on_the_wire) { on_the_wire_ = on_the_wire; }
  // Why the broker refuses from now on.
  void SetRefusal(Refusal refusal) { refusal_ = refusal; }

  // The messages accepted and not reported on, oldest first.
  const std::vector<Sent>& pending() const { return pending_; }
  std::vector<Seq> PendingSeqs() const;
  // The seqs in the order in which they were acknowledged.
  const std::vector<Seq>& acked() const { return acked_; }
  // The messages that were acknowledged, in that order.
  const std::vector<Sent>& delivered() const { return delivered_; }
  // The number of messages that each AnswerRequests() answered.
  const std::vector<size_t>& request_sizes() const { return request_sizes_; }

 private:
  void Answer(Seq seq, Delivery delivery);
  void Activity();

  std::vector<Sent> pending_;
  std::vector<Report> reports_;
  std::vector<Seq> acked_;
  std::vector<Sent> delivered_;
  std::vector<size_t> request_sizes_;
  std::set<std::string> refused_topics_;
  Refusal refusal_ = Refusal::kOther;
  std::optional<size_t> room_;
  std::optional<size_t> max_value_bytes_;
  bool connected_ = true;
  bool on_the_wire_ = false;
  uint64_t link_bytes_ = 0;
  std::function<void()> on_activity_;
};

}  // namespace tidegate
