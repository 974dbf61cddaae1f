// Reads a request's parameters and checks them against the table of endpoints. Of what a client
// sends only values that passed these checks reach a query. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "reader/database/query_store.h"
#include "reader/serve/endpoint.h"

namespace tidegate::reader {

struct Arguments {
  // Empty: the request names no tenant.
  std::string tenant = {};
  // Empty: the request names no stream.
  std::string stream = {};
  // The other filters, and the device of the path.
  std::vector<Condition> where = {};
  std::optional<WallTime> from = {};
  std::optional<WallTime> to = {};
  size_t limit = kDefaultLimit;
  // The end of the previous page, from the cursor.
  std::optional<Place> after = {};
  // A hash of path and filters, to which cursors are bound.
  uint64_t list = 0;
};

// kInvalid: a parameter is wrong; the message says which one and why. An unknown parameter is wrong
// too, because a misspelt filter must not show everything. REQUIRES: the route has an endpoint.
Result<Arguments> ReadArguments(const Route& route, std::string_view path,
                                const std::map<std::string, std::string>& query);

}  // namespace tidegate::reader
