// The HTML page at `/`: the reader's state and the list of endpoints. It names no tenant and no
// topic. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace tidegate::reader {

struct PageState {
  std::string_view version;
  std::chrono::seconds uptime{0};
  bool kafka_up = false;
  bool database_up = false;
};

// Returns HTML without scripts that refers to nothing on other servers.
std::string StatusPage(const PageState& state);

}  // namespace tidegate::reader
