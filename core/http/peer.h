// What an address or a Host header says about who asks. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::http {

// Returns whether the text is an address that only this machine reaches: 127.0.0.0/8 or ::1.
bool IsLoopback(std::string_view address);

// Returns whether a Host header names this machine: `localhost` or a loopback address, with or
// without a port, or nothing at all. A web page whose own name was rebound to this machine sends
// that name, however it begins.
bool IsLoopbackHost(std::string_view host);

// Returns the name of the network that limits count a peer under: an IPv4 address itself, and the
// /64 of an IPv6 address, all of which one machine may have. Other text is returned unchanged.
std::string PeerNetwork(std::string_view address);

}  // namespace tidegate::http
