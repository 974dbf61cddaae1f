// The database that a setting names, opened for reading. Any thread makes stores; each store then
// belongs to the thread that uses it.
#pragma once

#include <chrono>
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

// How long a query may take, unless a setting says otherwise.
inline constexpr std::chrono::milliseconds kAnswerWithin{5'000};

// `uri` is as for OpenLanding. Touches neither file nor network. The clock must outlive the
// queries. A server that does not answer within `answer_within` is given up, so that it keeps no
// thread any longer. kInvalid: the URI cannot be used; the message holds no password.
Result<std::unique_ptr<Queries>> OpenQueries(
    const std::string& uri, const Clock& clock,
    std::chrono::milliseconds answer_within = kAnswerWithin);

}  // namespace tidegate::reader
