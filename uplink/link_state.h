// Carries what the library's threads report to the loop: that there is something to poll, whether a
// broker answers, which connections are being made, and how many bytes they carry. Any thread. It
// is shared with those threads and outlives the last of them.
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

  // A broker's connection came up or went down. Wakes the loop if one came up or if connected()
  // changed.
  void OnBrokerState(const std::string& broker, bool up);
  bool connected() const { return connected_.load(std::memory_order_relaxed); }

  ConnectAttempts& attempts() { return attempts_; }

  // Bytes of the Kafka protocol on all connections: compressed, without TLS, TCP and IP.
  void CountSent(size_t bytes) { sent_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void CountReceived(size_t bytes) { received_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  uint64_t sent_bytes() const { return sent_bytes_.load(std::memory_order_relaxed); }
  uint64_t received_bytes() const { return received_bytes_.load(std::memory_order_relaxed); }

 private:
  explicit LinkState(int fd) : fd_(fd) {}

  const int fd_;
  ConnectAttempts attempts_;
  std::mutex mutex_;
  // The brokers that are connected. Guarded by mutex_.
  std::set<std::string> up_;
  std::atomic<bool> connected_{false};
  std::atomic<uint64_t> sent_bytes_{0};
  std::atomic<uint64_t> received_bytes_{0};
};

}  // namespace tidegate
