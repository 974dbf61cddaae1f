// The collections that a configuration writes to and that are known before the first message
// arrives. Known limit: collections of tenants that no allow list names are missing.
// A plain value; any thread.
#pragma once

#include <string>
#include <vector>

#include "reader/database/document_store.h"
#include "reader/database/namespace.h"
#include "reader/database/tenancy.h"

namespace tidegate::reader {

struct Layout {
  struct Collection {
    Namespace ns;
    std::vector<Index> indexes;
  };

  // The main database. If each tenant has a database, it is also the prefix of their names.
  std::string database;
  Tenancy tenancy = Tenancy::kShared;
  std::vector<Collection> collections;
};

}  // namespace tidegate::reader
