// Projections in MongoDB. They are loaded by `_id` and saved by replacing the document that has the
// `_id` and the loaded revision. Private to this folder. Thread: the client's.
#pragma once

#include <memory>

#include "reader/database/mongo/mongo_client.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

std::unique_ptr<ProjectionStore> MakeMongoProjections(ClientHandle client);

}  // namespace tidegate::reader
