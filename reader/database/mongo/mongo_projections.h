// Projections in MongoDB: loaded by `_id`, saved as replacements that name the revision they
// follow. Private to this folder.
#pragma once

#include <memory>

#include "reader/database/mongo/mongo_client.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

std::unique_ptr<ProjectionStore> MakeMongoProjections(ClientHandle client);

}  // namespace tidegate::reader
