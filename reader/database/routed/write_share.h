// The part of one Write() that goes to one server, and the stores on that server that write it at
// the same time. Private to this folder.
//
// A database that fails costs one attempt: its later runs are not tried in the same call. After a
// failure the server is asked whether it answers at all; if it does not, no run is tried any more.
//
// Any thread may call WriteRuns(), each with a store of its own; everything else: one thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/annotated_mutex.h"
#include "reader/database/document_store.h"

namespace tidegate::reader {

// Neighbouring documents that are written by one call. Without `by_namespace` they may be in
// several namespaces of the server.
struct WriteRun {
  size_t first;
  size_t count;
};

class WriteShare {
 public:
  // Both spans must outlive the share. `results` has one entry for each document. With `one_fate`
  // a failure concerns the whole server, as with a file or a server of one database.
  WriteShare(std::span<const Document> documents, std::span<WriteResult> results, bool one_fate)
      : documents_(documents), results_(results), one_fate_(one_fate) {}

  void Add(WriteRun run) { runs_.push_back(run); }
  size_t runs() const { return runs_.size(); }
  // Writes runs that nobody has begun, until none is left.
  void WriteRuns(DocumentStore& store);
  // Reports kUnavailable for each document. REQUIRES: instead of WriteRuns().
  void Refuse(const std::string& reason);

 private:
  void WriteOne(DocumentStore& store, const WriteRun& run);
  void SetUnavailable(const WriteRun& run, const std::string& reason);
  // Returns why documents of the database are not tried.
  std::optional<std::string> FailureOf(const std::string& database);
  void Fail(const std::string& database, const std::string& reason, bool whole_server);

  const std::span<const Document> documents_;
  const std::span<WriteResult> results_;
  const bool one_fate_;
  std::vector<WriteRun> runs_;
  std::atomic<size_t> next_{0};
  AnnotatedMutex mutex_;
  // Why the server does not answer; no value: it does.
  std::optional<std::string> down_ TIDEGATE_GUARDED_BY(mutex_);
  std::map<std::string, std::string> failed_ TIDEGATE_GUARDED_BY(mutex_);
};

}  // namespace tidegate::reader
