// Stores of a server that one tenant has, opened when they are first used and tried again until
// they open, so that a server or a file that cannot be opened at the start keeps no other tenant's
// records from landing. Private to this folder. Thread: the stores'.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "reader/database/completions.h"
#include "reader/database/document_store.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

template <typename Store>
using OpenLate = std::function<Result<std::unique_ptr<Store>>()>;

std::unique_ptr<DocumentStore> LateStore(OpenLate<DocumentStore> open);
std::unique_ptr<ProjectionStore> LateStore(OpenLate<ProjectionStore> open);
std::unique_ptr<Completions> LateStore(OpenLate<Completions> open);

}  // namespace tidegate::reader
