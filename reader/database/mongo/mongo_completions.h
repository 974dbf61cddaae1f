// Completions in MongoDB. Private to this folder.
#pragma once

#include <memory>

#include "core/result.h"
#include "reader/database/completions.h"
#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

Result<std::unique_ptr<Completions>> MakeMongoCompletions(ClientHandle client);

}  // namespace tidegate::reader
