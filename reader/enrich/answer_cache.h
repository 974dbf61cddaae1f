// The answers that are known, those that say "nothing" too, least recently used out first. Bounded
// by entries and by bytes. One thread.
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
    // Of keys and answers' text; parsed, an answer takes some times its text.
    size_t max_bytes = 16 * 1024 * 1024;
  };

  explicit AnswerCache(Options options) : options_(options) {}

  // nullptr: not known, or no longer good. Lives until the next call.
  const SourceAnswer* Find(std::string_view key, BootTime now);
  // An answer that is larger than the whole cache is not kept. REQUIRES: kValue or kNone.
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
  Entries entries_;                                       // The most recently used first.
  std::map<std::string_view, Entries::iterator> by_key_;  // The keys point into entries_.
  size_t bytes_ = 0;
};

}  // namespace tidegate::reader
