// Completions in MongoDB. Private to this folder. Thread: the client's.
#pragma once

#include <memory>

#include "reader/database/completions.h"
#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

std::unique_ptr<Completions> MakeMongoCompletions(ClientHandle client);

}  // namespace tidegate::reader
