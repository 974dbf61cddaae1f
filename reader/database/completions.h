// Documents that wait for a member that is completed after they have landed. The mark of such a
// document is a time in its `tidegate` object, since when it waits. One object belongs to one
// thread; several may share one database.
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
  std::string mark = {};  // The member of `tidegate`: letters, digits and '_'.
  std::string key = {};   // The document's member that is wanted with it: letters, digits, _ and -.
  // Of the marks; those before it are left out.
  std::optional<WallTime> from = {};
  size_t limit = 1'000;
};

struct PendingDocument {
  std::string id = {};
  std::string key = {};  // Empty: it has none that is text or a whole number.
  WallTime since{};
};

// Takes the mark away; with a value, the document gains it as a member, unless it has one of that
// name.
struct Completion {
  std::string id = {};
  std::shared_ptr<const json::Document> value = {};
};

class Completions {
 public:
  virtual ~Completions() = default;
  // Makes the index of the marks if it is missing. kUnavailable: try again.
  virtual Status EnsureIndex(const Namespace& ns, const std::string& mark) = 0;
  // Those that wait, the longest first.
  virtual Result<std::vector<PendingDocument>> Find(const PendingQuery& query) = 0;
  // Changes only documents that still have the mark, so that doing it twice is harmless. Returns
  // how many were changed. kUnavailable: some may have been; do all of it again.
  virtual Result<size_t> Complete(const Namespace& ns, const std::string& mark,
                                  const std::string& into,
                                  std::span<const Completion> completions) = 0;
};

}  // namespace tidegate::reader
