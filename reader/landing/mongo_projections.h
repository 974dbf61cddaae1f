// Projections in MongoDB: loaded by `_id`, saved as replacements that name the revision they
// follow. Private to this folder.
#pragma once

#include <memory>

#include "reader/landing/mongoc_handle.h"
#include "reader/landing/projection_store.h"

namespace tidegate::reader {

std::unique_ptr<ProjectionStore> MakeMongoProjections(ClientHandle client);

}  // namespace tidegate::reader
