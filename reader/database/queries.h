// The database that a landing's setting names, opened for reading. Any thread makes stores; each
// then belongs to the thread that uses it.
#pragma once

#include <memory>
#include <string>

#include "reader/database/query_store.h"

namespace tidegate::reader {

class Queries {
 public:
  virtual ~Queries() = default;
  // Waits for no server. The queries must outlive it.
  virtual Result<std::unique_ptr<QueryStore>> NewStore() = 0;
};

// A URI as OpenLanding takes it. Touches neither file nor network. kInvalid: what is wrong; no
// message holds a password.
Result<std::unique_ptr<Queries>> OpenQueries(const std::string& uri, const Clock& clock);

}  // namespace tidegate::reader
