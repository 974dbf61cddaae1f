// What collections are indexed by, so that whatever the HTTP API lists is read off an index in its
// order: nothing is sorted, and no page looks through the whole. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reader/database/document_store.h"
#include "reader/database/namespace.h"
#include "reader/database/tenancy.h"

namespace tidegate::reader {

// Of a collection that is listed by the time in `time`, newest first and those of one time by
// descending `_id`: of everything, in a shared database of one tenant, and for each member of
// `filters` of one tenant's documents in which that has one value. In a database of its own all
// documents are one tenant's. The names of earlier versions' indexes are among them as retired.
std::vector<Index> ListIndexes(std::string_view time,
                               std::initializer_list<std::string_view> filters, Tenancy tenancy);

// Of each projection's collection in a database that holds landed documents.
std::vector<std::pair<std::string, std::vector<Index>>> ProjectionIndexes(Tenancy tenancy);

// Makes those in that database. Errors are the store's.
Status EnsureProjectionIndexes(DocumentStore& store, const std::string& database, Tenancy tenancy);

}  // namespace tidegate::reader
