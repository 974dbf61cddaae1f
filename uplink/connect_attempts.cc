#include "uplink/connect_attempts.h"

#include <linux/tcp.h>  // netinet/tcp.h of Debian 12 has no tcpi_min_rtt.
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace tidegate {

namespace {
constexpr uint8_t kSynSent = 2;  // The kernel's TCP_SYN_SENT, which neither header defines.

std::optional<tcp_info> InfoOf(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return info;
}

bool AwaitsAnswer(int fd) {
  const auto info = InfoOf(fd);
  return info && info->tcpi_state == kSynSent;
}
}  // namespace

bool ConnectAttempts::Began(int fd, const std::string& broker) {
  const std::lock_guard lock(mutex_);
  const bool watched = brokers_[broker].attempts++ % kOneIsPatient != 0;
  sockets_[fd] = {broker, watched, std::nullopt};
  return watched;
}

void ConnectAttempts::Ends(int fd, std::optional<std::chrono::microseconds> round_trip) {
  const std::lock_guard lock(mutex_);
  const auto socket = sockets_.extract(fd);
  if (socket.empty() || !round_trip) return;
  Broker& broker = brokers_[socket.mapped().broker];
  broker.patience = std::max<std::chrono::microseconds>(kPatience, 3 * *round_trip);
  broker.attempts = 1;
}

std::optional<BootTime> ConnectAttempts::EndSlow(BootTime now) {
  std::optional<BootTime> next;
  // A broker's thread that closes a socket waits for this lock, so that no fd is reused meanwhile.
  const std::lock_guard lock(mutex_);
  for (auto& [fd, attempt] : sockets_) {
    if (!attempt.watched) continue;
    attempt.watched = AwaitsAnswer(fd);
    if (!attempt.watched) continue;
    if (!attempt.deadline) attempt.deadline = now + brokers_[attempt.broker].patience;
    if (*attempt.deadline <= now) {
      shutdown(fd, SHUT_RDWR);  // The library sees ECONNRESET.
      attempt.watched = false;
    } else if (!next || *attempt.deadline < *next) {
      next = attempt.deadline;
    }
  }
  return next;
}

std::optional<std::chrono::microseconds> ShortestRoundTrip(int fd) {
  const auto info = InfoOf(fd);
  if (!info || info->tcpi_min_rtt == 0 ||
      info->tcpi_min_rtt == std::numeric_limits<decltype(info->tcpi_min_rtt)>::max()) {
    return std::nullopt;
  }
  return std::chrono::microseconds(info->tcpi_min_rtt);
}

}  // namespace tidegate
