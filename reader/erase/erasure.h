// Removes what one database keeps of a tenant or an asset, or counts it beforehand. Thread: one,
// that of the eraser.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "reader/database/eraser.h"

namespace tidegate::reader {

class Erasure {
 public:
  struct Options {
    Subject subject;
    // False: only counts.
    bool remove = false;
    // Documents of one removal. Larger ones hold a lock of the database longer.
    size_t documents = 1'000;
  };
  struct Line {
    Namespace ns;
    // Found, or removed.
    uint64_t documents = 0;
  };
  // Called after each removal, with the collection and the documents removed from it so far.
  using OnProgress = std::function<void(const Line& line)>;

  Erasure(Options options, Eraser& eraser, OnProgress on_progress)
      : options_(std::move(options)), eraser_(eraser), on_progress_(std::move(on_progress)) {}

  // Visits every collection of the database. Removing may be repeated after an error; what was
  // removed stays removed.
  Status Run(const std::string& database);
  // A line for each collection that had documents of the subject.
  const std::vector<Line>& lines() const { return lines_; }
  uint64_t total() const;

 private:
  Result<uint64_t> Visit(const Namespace& ns);

  const Options options_;
  Eraser& eraser_;
  const OnProgress on_progress_;
  std::vector<Line> lines_;
};

}  // namespace tidegate::reader
