// What the HTTP API asks of the database: documents of one namespace, newest first, a page at a
// time. One store belongs to one thread; nothing here writes. Every call ends within the time that
// it is given, as far as the client libraries keep their limits.
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

// A member that equals one of the values. No value: nothing matches.
struct Condition {
  std::string member;
  std::vector<std::variant<std::string, bool>> any_of;
};

// Where a page ended.
struct Place {
  WallTime time{};
  std::string id;

  friend bool operator==(const Place&, const Place&) = default;
};

struct Query {
  Namespace ns = {};
  std::vector<Condition> where = {};      // All of them must hold.
  std::string time_member = "timestamp";  // Documents in which this is no time are not found.
  std::optional<WallTime> from = {};      // This time or later.
  std::optional<WallTime> to = {};        // Earlier than this.
  std::optional<Place> after = {};        // Only what comes later in the order of the answer.
};

struct FoundDocument {
  Place place;
  // The whole document with its `_id`, times as RFC 3339 text in UTC with milliseconds.
  std::string json;
};

// What one page may hold at most; the first document always fits.
struct PageLimit {
  size_t documents = 100;
  size_t bytes = 8 * 1024 * 1024;
};

struct Page {
  std::vector<FoundDocument> documents;
  bool more = false;  // There are some after the last of these.
  size_t bytes = 0;   // Of the documents' text.

  // False: it did not fit, and `more` is set.
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

  // The newest documents first, those of one time in descending order of their ids (by bytes); only
  // those whose `_id` is text. A namespace that is not there is empty. kUnavailable: the database
  // is away, or it took longer than `within`.
  virtual Result<Page> Find(const Query& query, const PageLimit& limit,
                            std::chrono::milliseconds within) = 0;
  // How many there are, counted up to `most`. Errors as Find.
  virtual Result<uint64_t> Count(const Query& query, uint64_t most,
                                 std::chrono::milliseconds within) = 0;
  virtual Status Ping(std::chrono::milliseconds within) = 0;
};

}  // namespace tidegate::reader
