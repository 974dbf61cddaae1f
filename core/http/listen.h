// The listening socket of a server, and addresses as text. Private to this folder. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/http/server.h"
#include "core/result.h"
#include "core/unique_fd.h"

struct sockaddr;

namespace tidegate::http {

class ListenSocket {
 public:
  // Opens a socket that is bound, listening and non-blocking. "::" accepts IPv4 too, and means
  // 0.0.0.0 where the kernel has no IPv6. Errors: those of Server::Start().
  static Result<ListenSocket> Open(const Server::Options& options);

  uint16_t port() const { return port_; }
  // Returns the descriptor, which the caller closes from now on.
  int Release() { return fd_.Release(); }

 private:
  explicit ListenSocket(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  uint16_t port_ = 0;
};

// Returns the address without its port, a mapped IPv6 address as IPv4; empty if it is of another
// family.
std::string AddressText(const sockaddr* address);

}  // namespace tidegate::http
