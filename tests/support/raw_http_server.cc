#include "tests/support/raw_http_server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>

#include "core/check.h"

namespace tidegate {

RawHttpServer::RawHttpServer(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool listening =
      ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::listen(listener_, 64) == 0 &&
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  CHECK(listening, "the server listens on a free port");
  port_ = ntohs(address.sin_port);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { Run(); });
}

RawHttpServer::~RawHttpServer() {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(stop_, &one, sizeof(one));
  thread_.join();
  ::close(stop_);
  ::close(listener_);
}

std::string RawHttpServer::Url(std::string_view path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

std::vector<std::string> RawHttpServer::paths() const {
  const std::lock_guard lock(mutex_);
  return paths_;
}

std::string RawHttpServer::Reply(std::string_view status, std::string_view body,
                                 std::string_view headers) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}", status,
                     body.size(), headers, body);
}

void RawHttpServer::Run() {
  std::map<int, std::string> open;  // What each connection has asked so far.
  while (true) {
    std::vector<pollfd> watched{{stop_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& [connection, request] : open) watched.push_back({connection, POLLIN, 0});
    if (::poll(watched.data(), watched.size(), -1) <= 0 || watched[0].revents) break;
    if (watched[1].revents) open[::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)] = "";
    for (size_t i = 2; i < watched.size(); ++i) {
      if (!watched[i].revents) continue;
      const int connection = watched[i].fd;
      std::array<char, 4'096> buffer{};
      const ssize_t count = ::recv(connection, buffer.data(), buffer.size(), 0);
      std::string& request = open[connection];
      if (count > 0) request.append(buffer.data(), static_cast<size_t>(count));
      // What is no request in plain text is hung up on.
      const bool done = count <= 0 || !request.starts_with("GET ");
      if (!done && request.ends_with("\r\n\r\n")) {
        const size_t begin = request.find(' ') + 1;
        const std::string path = request.substr(begin, request.find(' ', begin) - begin);
        {
          const std::lock_guard lock(mutex_);
          paths_.push_back(path);
        }
        if (const auto reply = script_(path)) {
          ::send(connection, reply->data(), reply->size(), MSG_NOSIGNAL);
          ::shutdown(connection, SHUT_WR);
        }
      }
      if (!done) continue;
      ::close(connection);
      open.erase(connection);
    }
  }
  for (const auto& [connection, request] : open) ::close(connection);
}

}  // namespace tidegate
