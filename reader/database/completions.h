// Completes landed documents with a member that was not known when they landed. Such a document has
// a mark, a member of its `tidegate` object whose value is the time since which it waits. One
// object belongs to one thread; several may share one database.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json/json.h"
#include "core/result.h"
#include "reader/database/document.h"

namespace tidegate::reader {

struct PendingQuery {
  Namespace ns = {};
  // The mark's name: letters, digits and '_'.
  std::string mark = {};
  // The document's member that is returned as its key: letters, digits, '_' and '-'.
  std::string key = {};
  // Only documents that wait since this time or later.
  std::optional<WallTime> from = {};
  // The most documents that are returned.
  size_t limit = 1'000;
};

struct PendingDocument {
  std::string id = {};
  // Empty: the document has no such member, or it is neither text nor a whole number.
  std::string key = {};
  // The document's `tenant_id`; empty: it has none.
  std::string tenant = {};
  WallTime since{};
};

// Removes the document's mark. With a value, also adds it as a member, unless the document has a
// member of that name.
struct Completion {
  std::string id = {};
  std::shared_ptr<const json::Document> value = {};
};

class Completions {
 public:
  virtual ~Completions() = default;
  // Makes the index on the marks if it is missing. kUnavailable: try again.
  virtual Status EnsureIndex(const Namespace& ns, const std::string& mark) = 0;
  // Returns documents that have the mark, those that wait longest first. kUnavailable: try again.
  virtual Result<std::vector<PendingDocument>> Find(const PendingQuery& query) = 0;
  // Changes only documents that have the mark, so that doing it twice is harmless. `into` is the
  // name of the member. Returns how many documents were changed. kUnavailable: some may have been;
  // repeat the whole call.
  virtual Result<size_t> Complete(const Namespace& ns, const std::string& mark,
                                  const std::string& into,
                                  std::span<const Completion> completions) = 0;
};

}  // namespace tidegate::reader
