// A topic from its beginning to its end as of the start, once. One thread.
#pragma once

#include <optional>

#include "core/result.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

class TopicReader {
 public:
  virtual ~TopicReader() = default;
  // nullopt: every partition is read to its end. kUnavailable: nothing came for too long although
  // the end is not reached.
  virtual Result<std::optional<SourceMessage>> Next() = 0;
};

}  // namespace tidegate::reader
