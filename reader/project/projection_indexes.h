// What the projections' collections are indexed by. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "reader/landing/document_store.h"
#include "reader/tenancy.h"

namespace tidegate::reader {

// Of each collection in a database that holds landed documents.
std::vector<std::pair<std::string, std::vector<Index>>> ProjectionIndexes(Tenancy tenancy);

}  // namespace tidegate::reader
