// The messages of one database that an attempt is to fold, and what folding them took. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"
#include "reader/project/buffer.h"

namespace tidegate::reader {

struct FoldGroup {
  std::string database;
  // The buffer's, in its order.
  std::vector<Buffer::Item*> items = {};
  bool folded = false;
  BootTime took{};
  // The messages and changes that were folded.
  uint64_t work = 0;
};

}  // namespace tidegate::reader
