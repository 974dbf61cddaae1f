// The listening socket of a server. Private to this folder.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/http/server.h"
#include "core/result.h"

struct sockaddr;

namespace tidegate::http {

class ListenSocket {
 public:
  // Bound and listening, non-blocking. "::" takes IPv4 too, and is 0.0.0.0 where the kernel has no
  // IPv6. Errors as Server::Start.
  static Result<ListenSocket> Open(const Server::Options& options);

  ListenSocket(ListenSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), port_(other.port_) {}
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  uint16_t port() const { return port_; }
  // The caller closes it from now on.
  int Release() { return std::exchange(fd_, -1); }

 private:
  explicit ListenSocket(int fd) : fd_(fd) {}

  int fd_;
  uint16_t port_ = 0;
};

// The address without its port, IPv4 also where it came as mapped IPv6; empty: of another family.
std::string AddressText(const sockaddr* address);

}  // namespace tidegate::http
