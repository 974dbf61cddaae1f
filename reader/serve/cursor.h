// Writes and reads a cursor: the place where the next page begins, as text that is opaque to the
// client. A cursor grants nothing: what a client may see is checked anew for every page. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "reader/database/query_store.h"

namespace tidegate::reader {

// `list` is the hash of path and filters (Arguments::list). With another list the cursor would skip
// documents, so it is bound to this one.
std::string EncodeCursor(const Place& place, uint64_t list);
// nullopt: the text is no cursor, or belongs to another list.
std::optional<Place> DecodeCursor(std::string_view text, uint64_t list);

}  // namespace tidegate::reader
