#include "reader/land/expiry.h"

#include "core/check.h"

namespace tidegate::reader {

Expiry::Expiry(Options options, Parts parts) : options_(options), parts_(parts) {
  CHECK(options_.documents > 0, "a pass may remove a document");
}

Status Expiry::Run(const std::set<Namespace>& collections) {
  if (!Due()) return {};
  const BootTime now = parts_.clock.SinceBoot();
  next_ = now + options_.interval;
  Status failure;
  for (const Namespace& ns : collections) {
    const auto removed = parts_.store.Expire(ns, parts_.clock.Now(), options_.documents);
    if (!removed.ok()) {
      failure = removed.error();
      continue;
    }
    parts_.metrics.CountExpired(*removed);
    if (*removed >= options_.documents) next_ = now;  // There may be more.
  }
  return failure;
}

}  // namespace tidegate::reader
