#include "reader/land/preparation.h"

#include "core/check.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxRequested = 20'000;
}  // namespace

Preparation::Preparation(Parts parts)
    : parts_(parts),
      migrator_({parts.store, parts.projections, parts.decoder.layout(), parts.clock, parts.log}) {}

Status Preparation::Check() {
  if (checked_) return {};
  const auto states = migrator_.Read();
  checked_ = states.ok();
  if (checked_) return {};
  if (states.error().code == ErrorCode::kInvalid) unfit_ = states.error();
  return states.error();
}

void Preparation::WantIndexes(std::span<const Document> documents) {
  if (!parts_.requests) return;
  const Namespace* last = nullptr;
  for (const Document& document : documents) {
    if (last && document.ns == *last) continue;
    last = &document.ns;
    CHECK(document.stream, "a document that is written carries its stream");
    if (requested_.size() >= kMaxRequested) requested_.clear();
    if (requested_.insert(document.ns).second) parts_.requests->Add(document.ns, *document.stream);
  }
}

}  // namespace tidegate::reader
