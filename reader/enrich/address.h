// Decides which addresses an external source may have. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>

namespace tidegate::reader {

// Returns true if an IPv4 (4 bytes) or IPv6 (16 bytes) address, in network order, is in the public
// network; false for any other length. Loopback, private, link-local, carrier-grade, multicast,
// reserved and documentation ranges (RFC 6890) are not public, nor are IPv6 addresses that hold
// such an IPv4 address.
bool IsPublicAddress(std::span<const uint8_t> address);

}  // namespace tidegate::reader
