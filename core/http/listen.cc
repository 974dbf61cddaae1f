#include "core/http/listen.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

namespace tidegate::http {

namespace {
constexpr int kBacklog = 128;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  // The one cast that the socket interface asks for.
  sockaddr* any() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

std::optional<Address> MakeAddress(const std::string& text, uint16_t port) {
  // inet_pton(3) would stop reading there.
  if (text.find('\0') != std::string::npos) return std::nullopt;
  Address address;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.size = sizeof v4;
    std::memcpy(&address.storage, &v4, sizeof v4);
    return address;
  }
  if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.size = sizeof v6;
    std::memcpy(&address.storage, &v6, sizeof v6);
    return address;
  }
  return std::nullopt;
}

uint16_t PortOf(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (::getsockname(fd, address.any(), &address.size) != 0) return 0;
  sockaddr_in v4{};  // The port has the same place in both families.
  std::memcpy(&v4, &address.storage, sizeof v4);
  return ntohs(v4.sin_port);
}

std::string Shown(const Server::Options& options) {
  const bool v6 = options.address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", options.address, v6 ? "]" : "", options.port);
}
}  // namespace

Result<ListenSocket> ListenSocket::Open(const Server::Options& options) {
  std::optional<Address> address = MakeAddress(options.address, options.port);
  if (!address) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("listen on {}: not an IP address", Shown(options))};
  }
  const auto failed = [&options](int cause) {
    // Not kInvalid: an address that this machine does not have yet may belong to an interface that
    // is still down.
    return Error{ErrorCode::kUnavailable,
                 fmt::format("listen on {}: {}", Shown(options), std::strerror(cause))};
  };
  ListenSocket socket(
      UniqueFd(::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
  const int fd = socket.fd_.get();
  if (fd < 0 && errno == EAFNOSUPPORT && options.address == "::") {
    Server::Options v4 = options;
    v4.address = "0.0.0.0";
    return Open(v4);
  }
  if (fd < 0) return failed(errno);
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address->family() == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd, address->any(), address->size) != 0) return failed(errno);
  if (::listen(fd, kBacklog) != 0) return failed(errno);
  socket.port_ = PortOf(fd);
  return socket;
}

std::string AddressText(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address != nullptr && address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (address != nullptr && address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  constexpr std::string_view kMapped = "::ffff:";
  const std::string_view shown(text.data());
  const bool mapped = shown.starts_with(kMapped) && shown.find('.') != std::string_view::npos;
  return std::string(mapped ? shown.substr(kMapped.size()) : shown);
}

Result<Server::Options> ParseListen(std::string_view text) {
  const auto invalid = [text](std::string_view why) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("{:?}: {}; expected host:port, [v6]:port or :port", text, why)};
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid("no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  Server::Options options;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), options.port);
  if (error != std::errc{} || end != port.data() + port.size())
    return invalid("the port is no number from 0 to 65535");
  const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  options.address = host.empty() ? "::" : host == "localhost" ? "127.0.0.1" : std::string(host);
  const std::optional<Address> address = MakeAddress(options.address, options.port);
  if (!address) return invalid("the host is no IP address");
  if (!host.empty() && bracketed != (address->family() == AF_INET6))
    return invalid("brackets are for IPv6, and needed there");
  return options;
}

}  // namespace tidegate::http
