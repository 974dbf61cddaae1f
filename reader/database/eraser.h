// Finds and removes everything that a database keeps of one tenant or asset: landed documents,
// projections, alerts and losses, whichever collection they are in. Documents of other programs
// stay. One object belongs to one thread; readers may write to the same database meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "reader/database/namespace.h"

namespace tidegate::reader {

struct Subject {
  std::string tenant;
  // Empty: everything of the tenant.
  std::string asset = {};
};

class Eraser {
 public:
  virtual ~Eraser() = default;

  // Every call: kUnavailable: try again; what was removed stays removed.
  // Returns the database's collections, sorted, without those that name neither tenant nor asset.
  // A database that does not exist has none.
  virtual Result<std::vector<std::string>> Collections(const std::string& database) = 0;
  virtual Result<uint64_t> Count(const Namespace& ns, const Subject& subject) = 0;
  // Removes at most `limit` documents. Returns how many were removed; 0: none is left.
  virtual Result<size_t> Remove(const Namespace& ns, const Subject& subject, size_t limit) = 0;
  // Makes the removed bytes unreadable where the database would keep them in its file.
  virtual Status Finish() = 0;
};

// Returns true for collections that hold only offsets and numbers.
bool NamesNobody(const std::string& collection);

}  // namespace tidegate::reader
