// Documents in MongoDB: unordered bulk inserts, one for each namespace and command, with the URI's
// write concern. Private to this folder.
#pragma once

#include <memory>

#include "core/log.h"
#include "reader/database/document_store.h"
#include "reader/database/mongo/mongoc_handle.h"

namespace tidegate::reader {

// The log must outlive the store.
std::unique_ptr<DocumentStore> MakeMongoStore(ClientHandle client, const Log& log);

}  // namespace tidegate::reader
