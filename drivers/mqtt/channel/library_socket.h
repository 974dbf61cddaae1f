// Stands between libmosquitto and the network, because the library takes no socket of ours: it
// connects one by itself, which is then replaced by one end of a socket pair. Loop thread only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/unique_fd.h"

namespace tidegate {

class LibrarySocket {
 public:
  // Puts one end of a pair in the place of `library_fd`, and returns what was there.
  // kUnavailable: no descriptor is left.
  Result<UniqueFd> Replace(int library_fd);
  // Passes bytes to the library; returns how many there was room for.
  size_t ToLibrary(std::string_view bytes) const;
  // Appends what the library has written. False: there was nothing.
  bool FromLibrary(std::string& out) const;

 private:
  UniqueFd ours_;
};

}  // namespace tidegate
