// Holds the decoded batches of one class that are sent next, and gives the order of their records.
// It gathers several small batches, so that requests are large and similar records lie side by
// side, which compresses well. Pure; one thread.
//
// Invariants, each with the check that guards it:
//   - batches are ascending, and none joins once the order is fixed: Add()
//   - the order names each record exactly once: Order()
#pragma once

#include <cstdint>
#include <vector>

#include "store/store.h"

namespace tidegate {

class Outbox {
 public:
  struct Item {
    // The index into batches().
    uint32_t batch;
    // The index into that batch's records.
    uint32_t record;
  };

  // REQUIRES: the batch is of the class of the others and follows them; not sealed().
  void Add(Batch batch);
  void Clear() { *this = Outbox(); }

  bool empty() const { return batches_.empty(); }
  // Returns true once Order() was called: no batch can be added.
  bool sealed() const { return sealed_; }
  // Returns true if more records would gain little on the link.
  bool full() const;
  const std::vector<Batch>& batches() const { return batches_; }
  // Returns the batch that begins with the seq, valid until the next Add() or Clear(); nullptr: it
  // is not here.
  const Batch* Find(Seq first_seq) const;
  // Returns the order in which to send, each record once. Records of an asset are in the order of
  // their seqs; the order of the assets is the one that compresses best.
  const std::vector<Item>& Order();

 private:
  std::vector<Batch> batches_;
  std::vector<Item> order_;
  // The sum over all values.
  size_t bytes_ = 0;
  bool sealed_ = false;
};

}  // namespace tidegate
