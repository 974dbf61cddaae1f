// Folds what a replay of dead letters has landed into the projections. Projectors have passed the
// messages, or will pass them over, because their documents name a dead letter; so the letters'
// topic takes the place of the messages', a partition of its own for each replay.
//
// Failure episodes and alerts by rules take no notice, as of any reading that comes late. One
// thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "reader/project/folder.h"

namespace tidegate::reader {

// A document that is in the landing, now or from before.
struct ReplayedDocument {
  Document document;
  const Stream* stream;
  bool duplicate;  // It was there: perhaps by a replay that was broken off before it had folded it.
};

class ReplayedFold {
 public:
  ReplayedFold(Folder::Options options, ProjectionStore& projections, DocumentStore& documents);

  // Each document's letter is where it was read now. kUnavailable: fold the same again.
  // REQUIRES: one letter after the other in each of their partitions, over all calls.
  Status Fold(std::span<const ReplayedDocument> replayed);

 private:
  // The replay that has landed each of them from its letter; empty: none has.
  Result<std::vector<std::string>> FindReplays(std::span<const ReplayedDocument> replayed);

  ProjectionStore& projections_;
  Folder folder_;
};

}  // namespace tidegate::reader
