// The indexes of collections. Every list of the HTTP API is read from an index in its order, so
// that the database neither sorts nor scans a whole collection for a page. Pure.
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

// Returns the indexes of a collection that is listed by the member `time`, newest first, and by
// descending `_id` within one time. There is an index for the list of all documents; in a shared
// database one for each tenant's list; and for each member of `filters` one for the list of a
// tenant's documents in which it has one value. Indexes of earlier versions are returned as
// retired.
std::vector<Index> ListIndexes(std::string_view time,
                               std::initializer_list<std::string_view> filters, Tenancy tenancy);

// Returns the indexes of each projection's collection, in a database that holds landed documents.
// With `expires` also those by which projections are removed.
std::vector<std::pair<std::string, std::vector<Index>>> ProjectionIndexes(Tenancy tenancy,
                                                                          bool expires = false);

// Makes the indexes of all projections in the database. Errors are the store's.
Status EnsureProjectionIndexes(DocumentStore& store, const std::string& database, Tenancy tenancy,
                               bool expires);

}  // namespace tidegate::reader
