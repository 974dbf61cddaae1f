// The database that a setting names, opened for reading. Any thread makes stores; each store then
// belongs to the thread that uses it.
#pragma once

#include <memory>
#include <string>

#include "reader/database/query_store.h"

namespace tidegate::reader {

class Queries {
 public:
  virtual ~Queries() = default;
  // Does not wait for a server. The queries must outlive the store. kUnavailable: try again.
  virtual Result<std::unique_ptr<QueryStore>> NewStore() = 0;
};

// `uri` is as for OpenLanding. Touches neither file nor network. The clock must outlive the
// queries. kInvalid: the URI cannot be used; the message holds no password.
Result<std::unique_ptr<Queries>> OpenQueries(const std::string& uri, const Clock& clock);

}  // namespace tidegate::reader
