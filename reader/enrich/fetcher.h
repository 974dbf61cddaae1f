// Asks for URLs, several at a time. The seam between the enricher and HTTP. One thread, but for
// Wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "reader/enrich/answer.h"

namespace tidegate::reader {

struct FetchRequest {
  uint64_t id = 0;  // The caller's.
  std::string url = {};
  std::chrono::milliseconds timeout{5'000};  // From now to the last byte.
  bool allow_private = false;
  std::string ca_file = {};  // Empty: the system's authorities are trusted.
};

struct FetchResult {
  uint64_t id = 0;
  SourceAnswer answer = {};
};

class Fetcher {
 public:
  virtual ~Fetcher() = default;
  // Exactly one result follows, from Wait(), also if it cannot even begin.
  virtual void Start(FetchRequest request) = 0;
  // What has come since the last call; waits for something at most `patience`.
  virtual std::vector<FetchResult> Wait(std::chrono::milliseconds patience) = 0;
  // Ends a Wait() of another thread, or the next one. Any thread.
  virtual void Wake() = 0;
};

}  // namespace tidegate::reader
