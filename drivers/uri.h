// The URI of an input as RFC 3986 splits it, percent-decoded. Pure. Serial and sim inputs have no
// authority: serial:/dev/ttyUSB0?baud=9600. One thing differs from the RFC: '#' is data and starts
// no fragment, because MQTT filters end in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tidegate {

struct Uri {
  std::string scheme;  // Lower case.
  std::string user;    // Before '@'; a password there is refused, it belongs into a credential.
  std::string host;    // Without brackets for IPv6.
  uint16_t port = 0;   // 0 if not given.
  std::string path;  // Decoded, with its leading '/'. Template braces and MQTT wildcards are kept.
  std::map<std::string, std::string> query;
};

// kInvalid: what is wrong, for people; it never repeats the text, which may hold a password.
// Unknown query names are the driver's to refuse.
Result<Uri> ParseUri(std::string_view text);

}  // namespace tidegate
