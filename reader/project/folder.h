// Folds landed documents into the stored projections. It loads the projections that a batch
// touches, lets the folds change them, and saves each unless another folder has saved it meanwhile;
// such a projection is loaded and folded again. Then it folds what follows. A document that a
// projection has folded is skipped, so the same documents may come any number of times, and from
// several folders at once.
//
// A projection that the database refuses for good (too large, invalid) is set aside: it keeps its
// stored state, and nothing more is folded into it until Forget(). The others go on.
//
// Invariants, each guarded by a CHECK where it changes: each key loaded has one projection; each
// projection saved and each alert inserted has one result; a projection stays in memory from its
// loading until it is saved.
// Thread: one, that of the stores.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/result.h"
#include "reader/database/document_store.h"
#include "reader/project/fold.h"

namespace tidegate::reader {

class Folder {
 public:
  struct Options {
    FoldOptions folds;
    // The number of projections kept in memory between batches, about 1 KB each. If another folder
    // has changed one, saving it is a conflict, and it is loaded again.
    size_t cached = 20'000;
    // Changes are loaded and saved in parts of about so many, because a document may have some
    // hundred, each of another projection. Larger parts take that much more memory, and save less
    // often.
    size_t changes = 20'000;
  };
  // The stores must outlive the folder.
  struct Parts {
    ProjectionStore& projections;
    DocumentStore& documents;
  };

  Folder(Options options, Parts parts) : options_(std::move(options)), parts_(parts) {}

  // Folds the events, those of each asset in the order of InOrderOfTime(). After success everything
  // that follows from them is saved. Every error is kUnavailable: some may be saved; fold the same
  // events again later. REQUIRES: the events of each asset and partition are in the order
  // of their offsets, and all earlier ones of these have been folded.
  Status Fold(std::span<const Event> events);
  // Drops the projections in memory. To be called when partitions are assigned or revoked, because
  // another folder may change the projections from then on.
  void Forget();

  // Counts since this object was made.
  uint64_t conflicts() const { return conflicts_; }
  // Alerts by rules that the database refused.
  uint64_t alerts_refused() const { return alerts_refused_; }
  // Events that have changed a projection.
  uint64_t applied() const { return applied_; }
  // Changes of all events that were folded, also of projections that had folded them.
  uint64_t changes() const { return changes_; }
  // Saves that the database refused, and the id of the last one, for people.
  uint64_t saves_refused() const { return saves_refused_; }
  const std::string& last_refused() const { return last_refused_; }

 private:
  struct Pending {
    const Event* event;
    Change change;
  };
  struct Cached {
    Projection projection;
    uint64_t used = 0;  // The last part that touched it.
  };
  struct KeyHash {
    size_t operator()(const DocumentKey& key) const;
  };
  // Folds a part of the events, and empties it.
  Status FoldPart(std::vector<Pending>& part);
  // Loads, applies and saves until every change is saved, and then folds what follows.
  Status FoldPending(std::vector<Pending> pending);
  Status LoadMissing(std::span<const Pending> pending);
  // Applies the pending changes to copies of the projections, except those that are folded already.
  // Returns the copies that changed.
  std::vector<Projection> Apply(std::span<const Pending> pending);
  // Keeps the projections that were saved in memory and drops the others from it. Returns true if
  // none is to be folded again.
  Result<bool> Save(std::span<Projection> changed);
  void SetAside(const DocumentKey& key);
  Status Follow(std::span<const Pending> pending);
  // An alert that is not accepted after some attempts counts as refused.
  Status InsertAlerts(std::vector<Document> alerts);
  // Returns those that are to be tried again.
  Result<std::vector<Document>> TryAlerts(std::vector<Document> alerts);
  // Drops projections that the last part did not touch, if there are too many.
  void Trim();

  const Options options_;
  Parts parts_;
  std::unordered_map<DocumentKey, Cached, KeyHash> cache_;
  // Projections that are set aside.
  std::unordered_set<DocumentKey, KeyHash> refused_;
  // Events of the present part that have changed a projection.
  std::unordered_set<const Event*> changing_;
  uint64_t part_ = 0;  // The number of the present part.
  uint64_t conflicts_ = 0;
  uint64_t alerts_refused_ = 0;
  uint64_t applied_ = 0;
  uint64_t changes_ = 0;
  uint64_t saves_refused_ = 0;
  std::string last_refused_;
};

}  // namespace tidegate::reader
