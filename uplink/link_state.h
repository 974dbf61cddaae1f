// What the library's threads tell the loop: that there is something to poll, whether any broker
// answers, and what it is connecting. Any thread. Shared with those threads, so that it outlives
// the last of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "core/result.h"
#include "uplink/connect_attempts.h"

namespace tidegate {

class LinkState {
 public:
  // kUnavailable: no file descriptor left.
  static Result<std::shared_ptr<LinkState>> Create();
  ~LinkState();
  LinkState(const LinkState&) = delete;
  LinkState& operator=(const LinkState&) = delete;

  // Readable after Wake(), until Acknowledge().
  int fd() const { return fd_; }
  void Wake() const;
  void Acknowledge() const;

  // A broker's connection came up or went. Wakes if one is ready (again) or if connected() changed.
  void OnBrokerState(const std::string& broker, bool up);
  bool connected() const { return connected_.load(std::memory_order_relaxed); }

  ConnectAttempts& attempts() { return attempts_; }

  // What went over the connections, as the Kafka protocol has it: compressed, without TLS, TCP and
  // IP.
  void CountSent(size_t bytes) { sent_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void CountReceived(size_t bytes) { received_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  uint64_t sent_bytes() const { return sent_bytes_.load(std::memory_order_relaxed); }
  uint64_t received_bytes() const { return received_bytes_.load(std::memory_order_relaxed); }

 private:
  explicit LinkState(int fd) : fd_(fd) {}

  const int fd_;
  ConnectAttempts attempts_;
  std::mutex mutex_;
  std::set<std::string> up_;  // Guarded by mutex_.
  std::atomic<bool> connected_{false};
  std::atomic<uint64_t> sent_bytes_{0};
  std::atomic<uint64_t> received_bytes_{0};
};

}  // namespace tidegate
