#include "core/http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace tidegate::http {

namespace {
// The longest text that inet_pton(3) reads; a longer one is no address.
constexpr size_t kMaxAddressBytes = INET6_ADDRSTRLEN;
constexpr size_t kNetworkBytes = 8;

template <size_t size>
std::optional<std::array<uint8_t, size>> Parse(int family, std::string_view text) {
  std::array<uint8_t, size> bytes{};
  // inet_pton(3) would stop reading at a NUL.
  if (text.size() > kMaxAddressBytes || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  if (::inet_pton(family, std::string(text).c_str(), bytes.data()) != 1) return std::nullopt;
  return bytes;
}

auto ParseV4(std::string_view text) {
  return Parse<4>(AF_INET, text);
}
auto ParseV6(std::string_view text) {
  return Parse<16>(AF_INET6, text);
}

bool IsPort(std::string_view text) {
  return text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}
}  // namespace

bool IsLoopback(std::string_view address) {
  if (const auto v4 = ParseV4(address)) return v4->front() == 127;
  const auto v6 = ParseV6(address);
  return v6 && v6->back() == 1 &&
         std::all_of(v6->begin(), v6->end() - 1, [](uint8_t byte) { return byte == 0; });
}

bool IsLoopbackHost(std::string_view host) {
  if (host.empty()) return true;
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view rest = host.substr(end + 1);
    if (!rest.empty() && (rest.front() != ':' || !IsPort(rest.substr(1)))) return false;
    const std::string_view inner = host.substr(1, end - 1);
    return ParseV6(inner) && IsLoopback(inner);
  }
  const size_t colon = std::min(host.find(':'), host.size());
  if (colon < host.size() && !IsPort(host.substr(colon + 1))) return false;
  const std::string_view name = host.substr(0, colon);
  return name == "localhost" || (ParseV4(name) && IsLoopback(name));
}

std::string PeerNetwork(std::string_view address) {
  auto v6 = ParseV6(address);
  if (!v6) return std::string(address);
  std::fill(v6->begin() + kNetworkBytes, v6->end(), uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, v6->data(), text.data(), text.size());
  return std::string(text.data()) + "/64";
}

}  // namespace tidegate::http
