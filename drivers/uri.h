// Splits the URI of an input as RFC 3986 does, and percent-decodes it. Serial and sim inputs have
// no authority: serial:/dev/ttyUSB0?baud=9600. One thing differs from the RFC: '#' is data and
// starts no fragment, because MQTT filters end in it. And an '@' behind the authority is written
// %40 if a ':' is before it: mqtt://user:12/ab@host is more likely a password that holds a '/' than
// a port and a topic. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tidegate {

struct Uri {
  // Lower case.
  std::string scheme;
  // The text before '@'. A password there is refused; it belongs into a credential.
  std::string user;
  // IPv6 addresses have no brackets here.
  std::string host;
  // 0 if not given.
  uint16_t port = 0;
  // Decoded, with its leading '/'. Template braces and MQTT wildcards are kept.
  std::string path;
  std::map<std::string, std::string> query;
};

// kInvalid: what is wrong, for people. The message never repeats the text, which may hold a
// password. Accepts any query name once; each driver refuses those it does not know.
Result<Uri> ParseUri(std::string_view text);

}  // namespace tidegate
