// Makes the projections anew from the landed documents: after a change of windows or rules, after
// `replay-dlq`, or when Kafka deleted messages before a projector read them. Documents are folded
// as projectors fold them: replayed dead letters under the letter's place, and states in the order
// of time, so that the result is the same. Documents at or after the landing's positions are left
// to the projectors.
//
// While a rebuild is under way nobody else may fold: projectors that find kRebuildMark wait
// (projector.h). After a rebuild that was interrupted they wait until another one has finished.
//
// Known limit: losses, and alerts that were inserted, are kept as they are, because they do not
// follow from landed documents alone.
// Thread: one, that of the stores.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "reader/decode/decoder.h"
#include "reader/land/partition_epochs.h"
#include "reader/project/folder.h"
#include "reader/project/rebuild/document_sorter.h"

namespace tidegate::reader {

// Unless the rebuild was interrupted, `read` is the sum of the others; a CHECK guards it at the end
// of each collection.
struct RebuildReport {
  uint64_t read = 0;
  uint64_t folded = 0;
  // At or after the landing's position of their partition: the projectors will fold them.
  uint64_t waiting = 0;
  // Not a landed document of a configured stream: it is of another topic, or another program wrote
  // it.
  uint64_t skipped = 0;

  std::string Text() const;
};

class Rebuild {
 public:
  struct Options {
    // The databases whose projections are made anew.
    std::vector<std::string> databases;
    Folder::Options folder;
    // A batch is folded at the first of these limits.
    size_t batch_records = 2'000;
    size_t batch_bytes = 8 * 1024 * 1024;
  };
  // The parts must outlive the rebuild.
  struct Parts {
    // Only reads landed documents: while it does, a store can do nothing else.
    ProjectionStore& documents_read;
    // Another store on the same database.
    ProjectionStore& projections;
    // Makes indexes and inserts alerts by rules.
    DocumentStore& documents;
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
  };

  Rebuild(Options options, Parts parts)
      : options_(std::move(options)),
        parts_(parts),
        folder_(Limited(options_.folder, FoldScope::kWithoutStates),
                {parts.projections, parts.documents}),
        state_folder_(Limited(options_.folder, FoldScope::kStatesOnly),
                      {parts.projections, parts.documents}) {}

  // Begins from the start each time. kUnavailable: interrupted; run it again.
  Status Run();
  const RebuildReport& report() const { return report_; }

 private:
  struct Item {
    Document document;
    std::string partition;
    int64_t offset;
  };

  static Folder::Options Limited(Folder::Options options, FoldScope scope);
  // Sets or clears kRebuildMark.
  Status Mark(bool under_way);
  Status RebuildDatabase(const std::string& database);
  // Removes the database's projections and makes their indexes.
  Status Clear(const std::string& database);
  // Folds what the collection's landed documents change without states, and gives the sorter those
  // that need another order.
  Status Read(const Namespace& ns, DocumentSorter& sorter);
  Status Add(const Namespace& ns, std::string_view text, DocumentSorter& sorter);
  // Folds what the sorter returns.
  Status FoldSorted(DocumentSorter& sorter);
  Status AddSorted(const Namespace& ns, std::string_view text, Folder& folder);
  Status Push(Item item, size_t bytes, Folder& folder);
  Status Fold(Folder& folder);
  // True if the document is before the landing's position, which is read once for each partition.
  Result<bool> HasLanded(const Provenance& from);
  void LogProgress();

  const Options options_;
  Parts parts_;
  Folder folder_;
  Folder state_folder_;
  RebuildReport report_;
  LogPositions landed_;
  // The present batch, and the size of its documents as JSON.
  std::vector<Item> items_;
  size_t bytes_ = 0;
  BootTime next_progress_{};
};

}  // namespace tidegate::reader
