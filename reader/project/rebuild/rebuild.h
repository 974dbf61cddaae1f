// Makes the projections anew from what has landed: after a change of windows or rules, after
// `replay-dlq`, or when Kafka deleted messages before a projector saw them. Documents are folded as
// projectors fold them, partition by partition in the order of their offsets, so that the outcome
// is the same; what has landed beyond the landing's positions is left to the projectors.
//
// Meanwhile nobody else may fold: projectors that find kRebuildMark under way wait (projector.h).
// If a rebuild is broken off they go on waiting, until another one has come to its end.
//
// Losses and alerts that are there stay there: they do not follow from landed documents alone. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "reader/decode/decoder.h"
#include "reader/project/folder.h"

namespace tidegate::reader {

struct RebuildReport {
  uint64_t read = 0;  // The sum of all that follow, unless the rebuild was broken off.
  uint64_t folded = 0;
  uint64_t waiting = 0;  // Not before the landing's positions: the projectors' to fold.
  // No landed document of a stream that is followed: of another topic, or from a foreign hand.
  uint64_t passed_over = 0;

  std::string Text() const;
};

class Rebuild {
 public:
  struct Options {
    std::vector<std::string> databases;  // Of which the projections are made anew.
    Folder::Options folder;
    size_t batch_records = 2'000;
    size_t batch_bytes = 8 * 1024 * 1024;
  };
  struct Parts {
    ProjectionStore& documents_read;  // Asked for landed documents and nothing else.
    ProjectionStore& projections;     // Another store on the same database.
    DocumentStore& documents;         // Of alerts by rules, and indexes.
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
  };

  Rebuild(Options options, Parts parts)
      : options_(std::move(options)),
        parts_(parts),
        folder_(options_.folder, {parts.projections, parts.documents}) {}

  // kUnavailable: broken off; do it again.
  Status Run();
  const RebuildReport& report() const { return report_; }

 private:
  struct Item {
    Document document;
    const Stream* stream;
    std::string partition;
  };

  Status Mark(bool under_way);
  Status Clear(const std::string& database);
  Status Read(const Namespace& ns);
  Status Take(const Namespace& ns, std::string_view text);
  // As far as the partition has landed.
  Result<int64_t> LandedUpTo(const std::string& partition);
  Status Fold();
  void TellProgress();

  const Options options_;
  Parts parts_;
  Folder folder_;
  RebuildReport report_;
  std::map<std::string, int64_t, std::less<>> landed_;
  std::vector<Item> items_;
  size_t bytes_ = 0;
  BootTime next_progress_{};
};

}  // namespace tidegate::reader
