// The decoded batches of one class that are next to be sent, and the order in which their records
// go. Several small batches are gathered, so that requests and what compresses well come together.
// Pure. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "store/store.h"

namespace tidegate {

class Outbox {
 public:
  struct Item {
    uint32_t batch;   // Index into batches().
    uint32_t record;  // Index into its records.
  };

  // REQUIRES: of the same class and behind those that are there; not sealed.
  void Add(Batch batch);
  void Clear() { *this = Outbox(); }

  bool empty() const { return batches_.empty(); }
  // Nothing can be added any more: Order() has been asked for.
  bool sealed() const { return sealed_; }
  // As large as it gets.
  bool full() const;
  const std::vector<Batch>& batches() const { return batches_; }
  // nullptr: not here.
  const Batch* Find(Seq first_seq) const;
  // Each record once. An asset's own are in the order of their seqs; which asset goes first is what
  // compresses best.
  const std::vector<Item>& Order();

 private:
  std::vector<Batch> batches_;
  std::vector<Item> order_;
  size_t bytes_ = 0;  // Of values.
  bool sealed_ = false;
};

}  // namespace tidegate
