#include "reader/erase/erasure.h"

#include "core/check.h"

namespace tidegate::reader {

Status Erasure::Run(const std::string& database) {
  CHECK(!options_.subject.tenant.empty(), "an erasure is of a tenant");
  const auto collections = eraser_.Collections(database);
  if (!collections.ok()) return collections.error();
  for (const std::string& collection : *collections) {
    const auto documents = Visit({database, collection});
    if (!documents.ok()) return documents.error();
    if (*documents > 0) lines_.push_back({{database, collection}, *documents});
  }
  return options_.remove ? eraser_.Finish() : Status();
}

Result<uint64_t> Erasure::Visit(const Namespace& ns) {
  if (!options_.remove) return eraser_.Count(ns, options_.subject);
  Line line{ns, 0};
  for (;;) {
    const auto removed = eraser_.Remove(ns, options_.subject, options_.documents);
    if (!removed.ok()) return removed.error();
    if (*removed == 0) return line.documents;
    line.documents += *removed;
    on_progress_(line);
  }
}

uint64_t Erasure::total() const {
  uint64_t total = 0;
  for (const Line& line : lines_) total += line.documents;
  return total;
}

}  // namespace tidegate::reader
