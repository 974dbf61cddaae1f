// Caches answers, including those that the source has nothing. Bounded by entries and by bytes;
// evicts the least recently used entry first. One thread at a time.
//
// Invariants, each with the check that guards it (answer_cache.cc):
// - Each entry is in the index once (Find, Put).
// - bytes() is the sum over the entries, and 0 when there is none (Erase).
#pragma once

#include <chrono>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "reader/enrich/answer.h"

namespace tidegate::reader {

class AnswerCache {
 public:
  struct Options {
    size_t max_entries = 50'000;
    // Counts keys, answers' text, and 200 bytes an entry. A parsed answer takes several times its
    // text.
    size_t max_bytes = 16 * 1024 * 1024;
  };

  explicit AnswerCache(Options options) : options_(options) {}

  // Returns the answer, which lives until the next call; nullptr if it is unknown or has expired.
  const SourceAnswer* Find(std::string_view key, BootTime now);
  // Keeps the answer until the clock reaches `good_until`, or until it is evicted. An answer that
  // is larger than the whole cache is not kept. REQUIRES: the answer is kValue or kNone.
  void Put(std::string_view key, SourceAnswer answer, BootTime good_until);

  size_t entries() const { return by_key_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    SourceAnswer answer;
    BootTime good_until;
  };
  using Entries = std::list<Entry>;

  static size_t BytesOf(const Entry& entry);
  void Erase(Entries::iterator entry);

  const Options options_;
  // The most recently used entry is first.
  Entries entries_;
  // The keys point into entries_.
  std::map<std::string_view, Entries::iterator> by_key_;
  size_t bytes_ = 0;
};

}  // namespace tidegate::reader
