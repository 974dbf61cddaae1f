// Counts the memory of what is buffered between two commits. The only place that knows how much a
// record or a dead letter takes: everything counts, names, reasons and the room that a text has
// reserved included. Pure.
#pragma once

#include <cstddef>

#include "core/record.h"
#include "store/store.h"

namespace tidegate {

class BufferedBytes {
 public:
  // The record and its arrival.
  void Add(const Record& record);
  void Add(const DeadLetter& letter);
  // REQUIRES: the letter was added, and has not changed.
  void Remove(const DeadLetter& letter);
  void Clear() { total_ = 0; }
  size_t total() const { return total_; }

 private:
  size_t total_ = 0;
};

}  // namespace tidegate
