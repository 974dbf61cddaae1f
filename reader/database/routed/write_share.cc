#include "reader/database/routed/write_share.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

void WriteShare::WriteRuns(DocumentStore& store) {
  for (size_t i = next_++; i < runs_.size(); i = next_++) WriteOne(store, runs_[i]);
}

void WriteShare::WriteOne(DocumentStore& store, const WriteRun& run) {
  CHECK(run.count > 0 && run.first + run.count <= documents_.size(), "a run is of this call");
  const std::string& database = documents_[run.first].ns.database;
  if (const auto failure = FailureOf(database)) return SetUnavailable(run, *failure);
  auto written = store.Write(documents_.subspan(run.first, run.count));
  if (!written.ok()) {
    const std::string reason = fmt::format("database {}: {}", database, written.error().message);
    Fail(database, reason, one_fate_ || !store.Ping().ok());
    return SetUnavailable(run, reason);
  }
  CHECK(written->size() == run.count, "a store returns one result for each document");
  std::ranges::move(*written, results_.begin() + static_cast<std::ptrdiff_t>(run.first));
}

void WriteShare::Refuse(const std::string& reason) {
  for (const WriteRun& run : runs_) SetUnavailable(run, reason);
}

void WriteShare::SetUnavailable(const WriteRun& run, const std::string& reason) {
  for (WriteResult& result : results_.subspan(run.first, run.count))
    result = {WriteOutcome::kUnavailable, reason};
}

std::optional<std::string> WriteShare::FailureOf(const std::string& database) {
  const MutexLock lock(mutex_);
  if (down_) return down_;
  const auto failed = failed_.find(database);
  if (failed == failed_.end()) return std::nullopt;
  return failed->second;
}

void WriteShare::Fail(const std::string& database, const std::string& reason, bool whole_server) {
  const MutexLock lock(mutex_);
  if (whole_server) {
    down_ = reason;
  } else {
    failed_[database] = reason;
  }
}

}  // namespace tidegate::reader
