// Folds the documents that a replay of dead letters has landed into the projections. Projectors
// skip their messages, because the documents name a dead letter. A projection knows such a document
// by the letter's place (LetterPartition), and so does a rebuild, so that neither counts it again.
//
// Known limit: failure episodes and alerts by rules ignore these documents, as they ignore every
// reading that arrives late.
// Thread: one, that of the stores.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "reader/project/folder.h"

namespace tidegate::reader {

// A document that has landed, by this replay or earlier.
struct ReplayedDocument {
  Document document;
  // It had landed earlier, perhaps by a replay that was interrupted before it folded the document.
  bool duplicate;
};

class ReplayedFold {
 public:
  // With `in_order` failure episodes and alerts by rules fold the documents as well: no newer one
  // of their assets has landed yet.
  ReplayedFold(Folder::Options options, ProjectionStore& projections, DocumentStore& documents,
               bool in_order = false);

  // kUnavailable: some may be folded; fold the same again.
  // REQUIRES: each document names the letter from which it was read in this replay, and the letters
  // of each partition come in the order of their offsets, over all calls.
  Status Fold(std::span<ReplayedDocument> replayed);
  // Drops the projections in memory (Folder::Forget).
  void Forget() { folder_.Forget(); }

 private:
  // Returns for each document the name of the replay that landed it from its letter; empty: no
  // replay did. Gives each document the time of receipt that it has landed with.
  Result<std::vector<std::string>> FindReplays(std::span<ReplayedDocument> replayed);

  ProjectionStore& projections_;
  Folder folder_;
};

}  // namespace tidegate::reader
