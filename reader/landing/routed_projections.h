// Projections whose databases may be on servers of their own. Private to this folder.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "reader/landing/projection_store.h"

namespace tidegate::reader {

// `stores` by database; all others are in `common`.
std::unique_ptr<ProjectionStore> RouteProjections(
    std::unique_ptr<ProjectionStore> common,
    std::map<std::string, std::unique_ptr<ProjectionStore>> stores);

}  // namespace tidegate::reader
