// Which addresses a source may have. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>

namespace tidegate::reader {

// Whether an IPv4 (4 bytes) or IPv6 (16 bytes) address, in network order, is one of the public
// network. Not so are loopback, private, link-local, carrier-grade, multicast, reserved and
// documentation ranges (RFC 6890), and IPv6 addresses that hold such an IPv4 address.
bool IsPublicAddress(std::span<const uint8_t> address);

}  // namespace tidegate::reader
