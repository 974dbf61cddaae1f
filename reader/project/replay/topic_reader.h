// Reads a topic once, from its beginning to the end that it had when the reader was opened.
// Thread: one.
#pragma once

#include <optional>

#include "core/result.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

class TopicReader {
 public:
  virtual ~TopicReader() = default;
  // Returns the next message; nullopt: every partition is read to its end. kUnavailable: no message
  // arrived in time although an end is not reached.
  virtual Result<std::optional<SourceMessage>> Next() = 0;
};

}  // namespace tidegate::reader
