// Folds landed documents into the projections that are stored: loads what a batch touches, lets the
// folds change it, and saves it unless somebody else has meanwhile; then it is loaded and folded
// anew. What was folded before is left out, so that the same documents may come any number of
// times, and from several folders at once. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "reader/database/document_store.h"
#include "reader/project/fold.h"

namespace tidegate::reader {

class Folder {
 public:
  struct Options {
    FoldOptions folds;
    // Projections kept in memory between batches, some 1 KB each. One that somebody else has
    // changed costs a conflict and is loaded again.
    size_t cached = 20'000;
  };
  struct Parts {
    ProjectionStore& projections;
    DocumentStore& documents;
  };

  Folder(Options options, Parts parts) : options_(std::move(options)), parts_(parts) {}

  // Folds the events in their order. When it succeeds all that follows from them is saved. An error
  // is kUnavailable: some may be saved; fold the same events again later.
  // REQUIRES: the events of each partition are in the order of their offsets, and all earlier ones
  // of that partition have been folded.
  Status Fold(std::span<const Event> events);
  // Partitions went or came: what is in memory is soon old.
  void Forget() { cache_.clear(); }

  // Since this object began.
  uint64_t conflicts() const { return conflicts_; }
  uint64_t alerts_refused() const { return alerts_refused_; }  // Of the rules, by the landing.

 private:
  struct Pending {
    const Event* event;
    Change change;
  };
  struct Cached {
    Projection projection;
    uint64_t used = 0;  // In which batch.
  };
  struct KeyHash {
    size_t operator()(const DocumentKey& key) const;
  };
  // Applies what is pending to copies of the projections, without what they have taken in already.
  std::vector<Projection> Apply(std::span<const Pending> pending, std::vector<Pending>& derived,
                                std::vector<Document>& alerts);
  Status Carry(std::vector<Pending> pending);
  Status LoadMissing(std::span<const Pending> pending);
  Status InsertAlerts(std::span<const Document> alerts);
  // Those that were saved become what is in memory, the others are forgotten. True: all were saved.
  Result<bool> Save(std::span<Projection> changed);
  void Trim();

  const Options options_;
  Parts parts_;
  std::unordered_map<DocumentKey, Cached, KeyHash> cache_;
  uint64_t batch_ = 0;
  uint64_t conflicts_ = 0;
  uint64_t alerts_refused_ = 0;
};

}  // namespace tidegate::reader
