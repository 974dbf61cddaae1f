// Projections of databases that may be on servers of their own. Private to this folder. Thread: the
// stores'.
#pragma once

#include <memory>

#include "reader/database/projection_store.h"
#include "reader/database/routed/by_database.h"

namespace tidegate::reader {

std::unique_ptr<ProjectionStore> RouteProjections(ByDatabase<ProjectionStore> stores);

}  // namespace tidegate::reader
