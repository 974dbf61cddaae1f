#include "tests/support/reader/fake_document_store.h"

#include <algorithm>
#include <utility>

namespace tidegate::reader {

namespace {
const Error kDown{ErrorCode::kUnavailable, "the database is down"};
}

Result<std::vector<WriteResult>> FakeDocumentStore::Write(std::span<const Document> documents) {
  if (down_) return kDown;
  ++writes_;
  if (on_write_) on_write_();
  std::vector<WriteResult> results;
  for (const Document& document : documents) results.push_back(WriteOne(document));
  if (std::exchange(lose_answer_, false))
    return Error{ErrorCode::kUnavailable, "the connection broke"};
  return results;
}

WriteResult FakeDocumentStore::WriteOne(const Document& document) {
  if (down_databases_.contains(document.ns.database))
    return {WriteOutcome::kUnavailable, "database " + document.ns.database + ": it is down"};
  if (rejected_.contains(document.id)) return {WriteOutcome::kRejected, "the schema forbids it"};
  if (auto conflict = conflicts_.find(document.id);
      conflict != conflicts_.end() && conflict->second > 0) {
    --conflict->second;
    return {WriteOutcome::kRetry, "write conflict"};
  }
  const bool is_new = documents_.emplace(document.ns, document.id).second;
  ids_.insert(document.id);
  if (is_new) landed_.push_back(document.id);
  return {is_new ? WriteOutcome::kLanded : WriteOutcome::kDuplicate, {}};
}

Status FakeDocumentStore::EnsureIndexes(const Namespace& ns, std::span<const Index>) {
  if (on_ensure_) on_ensure_(ns);
  if (down_ || down_databases_.contains(ns.database)) return kDown;
  indexed_.insert(ns);
  return {};
}

Result<size_t> FakeDocumentStore::Expire(const Namespace& ns, WallTime, size_t limit) {
  if (down_) return kDown;
  if (ns.collection != "heartbeats") return 0;
  const size_t gone = std::min(limit, expired_);
  expired_ -= gone;
  return gone;
}

Status FakeDocumentStore::Ping() {
  return down_ ? Status(kDown) : Status();
}

}  // namespace tidegate::reader
