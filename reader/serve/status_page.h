// The page at `/`: the state in a few lines, and what else there is to ask. Names no tenant and no
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

// HTML without scripts and without anything from elsewhere.
std::string StatusPage(const PageState& state);

}  // namespace tidegate::reader
