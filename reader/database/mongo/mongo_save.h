// Saves projections by MongoDB's bulk writes. Private to this folder; the thread is the client's.
#pragma once

#include <span>
#include <vector>

#include "reader/database/mongo/mongoc_handle.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

// As ProjectionStore::Save.
Result<std::vector<SaveOutcome>> SaveProjections(mongoc_client_t* client,
                                                 std::span<const Projection> projections);

}  // namespace tidegate::reader
