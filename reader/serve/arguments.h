// A request's parameters, checked against what its endpoint takes. Whatever they hold, nothing of
// them but plain values reaches a query. Pure.
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
  std::string tenant = {};            // Empty: not named.
  std::string stream = {};            // Likewise.
  std::vector<Condition> where = {};  // The other filters, and the device of the path.
  std::optional<WallTime> from = {};
  std::optional<WallTime> to = {};
  size_t limit = kDefaultLimit;
  std::optional<Place> after = {};
  uint64_t list = 0;  // Names path and filters: what a cursor is bound to.
};

// kInvalid: which parameter, and what is wrong with it. An unknown one is wrong too: a misspelt
// filter must not show everything. REQUIRES: the route has an endpoint.
Result<Arguments> ReadArguments(const Route& route, std::string_view path,
                                const std::map<std::string, std::string>& query);

}  // namespace tidegate::reader
