// Reads documents for the HTTP API: those of one namespace, newest first, a page at a time. Nothing
// here writes. Every call ends within the time that it is given, as far as the client libraries
// keep their limits. One store belongs to one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "reader/database/document.h"

namespace tidegate::reader {

// The member equals one of the values. Without values nothing matches.
struct Condition {
  std::string member;
  std::vector<std::variant<std::string, bool>> any_of;
};

// The place of a document in the order of an answer, at which the next page begins.
struct Place {
  WallTime time{};
  std::string id;

  friend bool operator==(const Place&, const Place&) = default;
};

struct Query {
  Namespace ns = {};
  // All conditions must hold.
  std::vector<Condition> where = {};
  // The member that orders the answer. Documents in which it is no time are not found.
  std::string time_member = "timestamp";
  // This time or later.
  std::optional<WallTime> from = {};
  // Earlier than this time.
  std::optional<WallTime> to = {};
  // Only documents after this place in the order of the answer.
  std::optional<Place> after = {};
};

struct FoundDocument {
  Place place;
  // The whole document with its `_id`, times as RFC 3339 text in UTC with milliseconds.
  std::string json;
};

// The most that one page holds. The first document always fits.
struct PageLimit {
  size_t documents = 100;
  size_t bytes = 8 * 1024 * 1024;
};

struct Page {
  std::vector<FoundDocument> documents;
  // There are documents after the last of these.
  bool more = false;
  // The size of the documents' text.
  size_t bytes = 0;

  // Adds the document. Returns false, and sets `more`, if it does not fit.
  bool Add(FoundDocument document, const PageLimit& limit) {
    const size_t sum = bytes + document.json.size();
    more = documents.size() >= limit.documents || (sum > limit.bytes && !documents.empty());
    if (more) return false;
    bytes = sum;
    documents.push_back(std::move(document));
    return true;
  }
};

class QueryStore {
 public:
  virtual ~QueryStore() = default;

  // Returns the newest documents first, and those of one time in descending order of their ids (by
  // bytes). Only documents whose `_id` is text are found. A namespace that does not exist is empty.
  // kUnavailable: the database is unreachable. kFull: it answers, but took longer than `within`.
  // kCorrupt: it answers with an error.
  virtual Result<Page> Find(const Query& query, const PageLimit& limit,
                            std::chrono::milliseconds within) = 0;
  // Returns how many documents the query finds, counted up to `most`. Errors as for Find.
  virtual Result<uint64_t> Count(const Query& query, uint64_t most,
                                 std::chrono::milliseconds within) = 0;
  virtual Status Ping(std::chrono::milliseconds within) = 0;
};

}  // namespace tidegate::reader
