#include "reader/enrich/answer_cache.h"

#include <utility>

#include "core/check.h"

namespace tidegate::reader {

namespace {
// The cost of an entry beside its texts.
constexpr size_t kEntryBytes = 200;
}  // namespace

size_t AnswerCache::BytesOf(const Entry& entry) {
  return kEntryBytes + entry.key.size() + entry.answer.bytes;
}

void AnswerCache::Erase(Entries::iterator entry) {
  CHECK(bytes_ >= BytesOf(*entry), "an entry is part of the cache's bytes");
  bytes_ -= BytesOf(*entry);
  by_key_.erase(entry->key);
  entries_.erase(entry);
  CHECK(!entries_.empty() || bytes_ == 0, "an empty cache has no bytes");
}

const SourceAnswer* AnswerCache::Find(std::string_view key, BootTime now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  const Entries::iterator entry = found->second;
  if (now >= entry->good_until) {
    Erase(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return &entry->answer;
}

void AnswerCache::Put(std::string_view key, SourceAnswer answer, BootTime good_until) {
  CHECK(answer.kind != AnswerKind::kFailed, "a failure is not cached");
  if (const auto found = by_key_.find(key); found != by_key_.end()) Erase(found->second);
  entries_.push_front({std::string(key), std::move(answer), good_until});
  by_key_[entries_.front().key] = entries_.begin();
  bytes_ += BytesOf(entries_.front());
  while (entries_.size() > options_.max_entries ||
         (bytes_ > options_.max_bytes && !entries_.empty()))
    Erase(std::prev(entries_.end()));
  CHECK(entries_.size() == by_key_.size(), "each entry is indexed once");
}

}  // namespace tidegate::reader
