// A transport that does what a test says: takes messages, keeps them, and reports on them when
// told. One thread.
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
  };

  Status Send(Seq seq, const WireMessage& message) override;
  void Drain(const std::function<void(const Report&)>& on_report) override;
  void Recall(const std::string& reason) override;
  void OnActivity(std::function<void()> callback) override { on_activity_ = std::move(callback); }
  bool Connected() const override { return connected_; }
  // Keys and values of what was answered, as it is.
  uint64_t LinkBytes() const override { return link_bytes_; }

  // Sends beyond this many pending ones are kFull.
  void SetRoom(size_t records) { room_ = records; }
  void SetConnected(bool connected);
  // Sends to this topic are kUnavailable, until AllowTopic.
  void RefuseTopic(const std::string& topic) { refused_topics_.insert(topic); }
  void AllowTopic(const std::string& topic) { refused_topics_.erase(topic); }
  // Larger values are kRejected by Send.
  void SetMaxValueBytes(size_t bytes) { max_value_bytes_ = bytes; }

  // Reports on pending messages. REQUIRES: pending.
  void Ack(Seq seq) { Answer(seq, Delivery::kAcked); }
  void Retry(Seq seq) { Answer(seq, Delivery::kRetry); }
  void Reject(Seq seq) { Answer(seq, Delivery::kRejected); }
  void AckAll();
  void RetryAll();
  // Answers the pending messages as a broker does that gets one request for each topic: one message
  // that it refuses is the end of all in its request. Others are acknowledged.
  void AnswerRequests(const std::function<bool(const WireMessage&)>& refuses);

  // Accepted and not reported on, oldest first.
  const std::vector<Sent>& pending() const { return pending_; }
  std::vector<Seq> PendingSeqs() const;
  // Seqs in the order in which they were acknowledged.
  const std::vector<Seq>& acked() const { return acked_; }
  // The messages that were acknowledged, in that order.
  const std::vector<Sent>& delivered() const { return delivered_; }
  // How many messages the last AnswerRequests found, for each call.
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
  std::optional<size_t> room_;
  std::optional<size_t> max_value_bytes_;
  bool connected_ = true;
  uint64_t link_bytes_ = 0;
  std::function<void()> on_activity_;
};

}  // namespace tidegate
