// Finds out which messages are to be folded: those whose document has landed from that very
// message. Thread: the store's.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/result.h"
#include "reader/database/projection_store.h"
#include "reader/project/buffer.h"
#include "reader/project/fold.h"
#include "reader/project/landed_positions.h"

namespace tidegate::reader {

struct LandedEvents {
  // They point to the items' documents.
  std::vector<Event> events = {};
  // Messages without a landed document: they were refused, or their document is gone again.
  size_t absent = 0;
  // Messages whose document landed from another message, or by a replay, which has folded it.
  size_t repeated = 0;
};

// Gives the documents the epochs, ids and times that they have landed with. kUnavailable: the
// store's. REQUIRES: each item has a document, and its position has landed.
Result<LandedEvents> FindLandedEvents(ProjectionStore& projections,
                                      const LandedPositions& positions,
                                      std::span<Buffer::Item* const> items);

}  // namespace tidegate::reader
