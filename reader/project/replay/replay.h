// Puts dead letters once more through the decoder and into the landing, after whatever had refused
// them was put right, and folds what has landed. Nothing is taken out of their topic; what landed
// before is there already, so that a replay may be repeated, and should be, with the same choice,
// if it was broken off. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "reader/database/document_store.h"
#include "reader/decode/decoder.h"
#include "reader/project/replay/replayed_fold.h"
#include "reader/project/replay/stored_letter.h"
#include "reader/project/replay/topic_reader.h"

namespace tidegate::reader {

// Which letters; what is not set chooses all.
struct ReplayChoice {
  std::optional<std::string> reason;  // RefusalKindName().
  std::optional<std::string> tenant;
  std::optional<std::string> topic;  // That the message was in.
  std::optional<WallTime> from;      // When it became a dead letter: from this time on,
  std::optional<WallTime> to;        // and before this one.
  std::optional<uint64_t> limit;     // No more than that are chosen.
};

struct ReplayReport {
  uint64_t read = 0;
  uint64_t foreign = 0;  // No letters of this reader's.
  uint64_t chosen = 0;   // The sum of all that follow, unless the replay was broken off.
  uint64_t landed = 0;   // In a dry run: would be sent to the database.
  uint64_t already_there = 0;
  uint64_t cut = 0;                         // Their values are not whole: cannot be replayed.
  std::map<std::string, uint64_t> refused;  // Again, by the kind of the reason now.

  uint64_t refused_count() const;
  std::string Text(bool dry_run) const;
};

class Replay {
 public:
  struct Options {
    ReplayChoice choice = {};
    bool dry_run = false;  // Only decodes; asks nothing of the database.
    size_t batch_records = 1'000;
    size_t batch_bytes = 4 * 1024 * 1024;
    int max_attempts = 4;  // Of one document that the database does not take for no clear reason.
    Backoff::Options backoff{};
    // How long the database may be away before the replay breaks off.
    std::chrono::milliseconds patience{120'000};
    Folder::Options folder = {};
  };
  struct Parts {
    TopicReader& letters;
    DocumentStore& store;
    ProjectionStore* projections;  // nullptr: a dry run.
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
    std::function<void(std::chrono::milliseconds)> wait;
  };

  Replay(Options options, Parts parts);

  // kUnavailable: broken off; report() tells how far it came.
  Status Run();
  const ReplayReport& report() const { return report_; }

 private:
  void Take(SourceMessage raw);
  bool Chosen(const StoredLetter& letter, const std::string& tenant) const;
  std::string TenantOf(const SourceMessage& message) const;
  void Refuse(const SourceMessage& message, const Refusal& refusal);
  bool Full() const;
  // Writes what is in hand; afterwards nothing is.
  Status Flush();
  // Calls it until nothing is `left`, within the patience.
  Status Insist(const std::function<Status()>& attempt, const std::function<size_t()>& left);
  Status Attempt();
  Status FoldLanded();
  void Keep(Document document, bool duplicate);
  void Settle(const std::vector<WriteResult>& results);

  struct Pending {
    SourceMessage message;
    int attempts = 0;
  };

  const Options options_;
  Parts parts_;
  Backoff backoff_;
  const std::string name_;  // Of this replay: when it began.
  std::optional<ReplayedFold> fold_;
  ReplayReport report_;
  std::vector<Document> documents_;
  std::vector<Pending> pending_;  // One for each of documents_.
  size_t bytes_ = 0;
  std::vector<ReplayedDocument> landed_;  // And not yet folded.
  std::set<Namespace> indexed_;
};

}  // namespace tidegate::reader
