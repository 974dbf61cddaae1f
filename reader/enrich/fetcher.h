// Fetches URLs, several at a time. The seam between the enrichment and HTTP. One thread, except
// Wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "reader/enrich/answer.h"

namespace tidegate::reader {

struct FetchRequest {
  // Chosen by the caller, and unique among the requests on their way.
  uint64_t id = 0;
  std::string url = {};
  // From Start() to the last byte.
  std::chrono::milliseconds timeout{5'000};
  // Loopback, private and link-local addresses may be asked.
  bool allow_private = false;
  // The authorities that are trusted, as a file of PEM certificates; empty: the system's.
  std::string ca_file = {};
  // "Name: value"; never logged.
  std::vector<std::string> headers = {};
};

struct FetchResult {
  uint64_t id = 0;
  SourceAnswer answer = {};
};

class Fetcher {
 public:
  virtual ~Fetcher() = default;
  // Begins a request. Wait() returns exactly one result for it, even if it cannot begin.
  virtual void Start(FetchRequest request) = 0;
  // Returns the results since the last call; waits for the first one at most `patience`.
  virtual std::vector<FetchResult> Wait(std::chrono::milliseconds patience) = 0;
  // Ends a Wait() of another thread early, or the next one. Any thread.
  virtual void Wake() = 0;
};

}  // namespace tidegate::reader
