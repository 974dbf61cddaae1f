// A pseudo-terminal with a name of its own, which stays the same when the device is unplugged and
// plugged in again. One thread.
#pragma once

#include <string>
#include <string_view>

#include "core/unique_fd.h"

namespace tidegate {

class PseudoTerminal {
 public:
  // The terminal is plugged in.
  PseudoTerminal();
  ~PseudoTerminal();

  const std::string& path() const { return path_; }
  void Send(std::string_view bytes);
  void Unplug();
  void Plug();

 private:
  std::string directory_;
  std::string path_;
  UniqueFd master_;
};

}  // namespace tidegate
