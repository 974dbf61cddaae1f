// Where the next page begins, as text that a client carries without looking into it. It holds no
// rights: what a client may see is asked anew with every page. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "reader/database/query_store.h"

namespace tidegate::reader {

// `list` tells for which path and filters the cursor is: with others it would skip what it should
// not.
std::string EncodeCursor(const Place& place, uint64_t list);
// nullopt: not a cursor, or one of another list.
std::optional<Place> DecodeCursor(std::string_view text, uint64_t list);

}  // namespace tidegate::reader
