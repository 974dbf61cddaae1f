// Holds small writes to a TCP connection back while it lives, so that the PUBACKs of a batch, which
// libmosquitto writes one by one, travel together. One thread.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace tidegate {

class Cork {
 public:
  // `fd` stays open while the cork lives.
  explicit Cork(int fd) : fd_(fd) { Set(1); }
  ~Cork() { Set(0); }
  Cork(const Cork&) = delete;
  Cork& operator=(const Cork&) = delete;

 private:
  void Set(int on) { ::setsockopt(fd_, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }
  const int fd_;
};

}  // namespace tidegate
