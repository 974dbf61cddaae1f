// Projections whose databases may be on servers of their own. Private to this folder.
#pragma once

#include <memory>

#include "reader/landing/by_database.h"
#include "reader/landing/projection_store.h"

namespace tidegate::reader {

std::unique_ptr<ProjectionStore> RouteProjections(ByDatabase<ProjectionStore> stores);

}  // namespace tidegate::reader
