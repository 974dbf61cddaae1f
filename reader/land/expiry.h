// Removes documents whose time is up, where the database does not do it by itself: some at a time,
// so that the landing goes on in between. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <set>

#include "core/clock.h"
#include "core/result.h"
#include "reader/database/document_store.h"
#include "reader/land/reader_metrics.h"

namespace tidegate::reader {

class Expiry {
 public:
  struct Options {
    // Between two passes over the collections; shorter passes ask the database more often.
    std::chrono::milliseconds interval{10'000};
    // At most so many documents of one collection are removed in a pass. A pass that reaches the
    // bound is followed by another one at once.
    size_t documents = 1'000;
  };
  // All of them must outlive the expiry.
  struct Parts {
    DocumentStore& store;
    const Clock& clock;
    ReaderMetrics& metrics;
  };

  // REQUIRES: the options' bound is not 0.
  Expiry(Options options, Parts parts);

  bool Due() const { return parts_.clock.SinceBoot() >= next_; }
  // Makes a pass over the collections if one is due, and counts what it removed. kUnavailable: some
  // collections could not be reached; the next pass follows after the interval. REQUIRES: the
  // indexes of the collections exist.
  Status Run(const std::set<Namespace>& collections);

 private:
  const Options options_;
  Parts parts_;
  BootTime next_{};
};

}  // namespace tidegate::reader
