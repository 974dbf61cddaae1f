// The collections that a configuration writes to, as far as they are known before the first message
// arrives. A plain value; any thread.
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

  // The main database; with a database for each tenant, the prefix of their names.
  std::string database;
  Tenancy tenancy = Tenancy::kShared;
  // Collections of tenants that no allow list names are missing: their names are not known yet.
  std::vector<Collection> collections;
};

}  // namespace tidegate::reader
