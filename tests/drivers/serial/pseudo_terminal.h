// A pseudo-terminal under a name of its own, which stays the same when it is unplugged and plugged
// in again.
#pragma once

#include <string>
#include <string_view>

namespace tidegate {

class PseudoTerminal {
 public:
  // Plugged in.
  PseudoTerminal();
  ~PseudoTerminal();
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  const std::string& path() const { return path_; }
  void Send(std::string_view bytes);
  void Unplug();
  void Plug();

 private:
  std::string directory_;
  std::string path_;
  int master_ = -1;
};

}  // namespace tidegate
