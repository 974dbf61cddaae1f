// Decodes and lands dead letters again, after the cause of their refusal was corrected, and folds
// what has landed. The letters stay in their topic, and documents that landed earlier are
// duplicates, so a replay may be repeated. After an interruption repeat it with the same choice.
//
// Invariants, each guarded by a CHECK: every chosen letter is counted once when its batch is done;
// documents_ and pending_ have the same length; each document written has one result.
// Thread: one, that of the store and the topic reader.
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

// Which letters are replayed. A member without a value chooses all.
struct ReplayChoice {
  // A RefusalKindName().
  std::optional<std::string> reason;
  std::optional<std::string> tenant;
  // The topic of the refused message.
  std::optional<std::string> topic;
  // When the message became a dead letter: at `from` or later, and before `to`.
  std::optional<WallTime> from;
  std::optional<WallTime> to;
  // The most letters that are chosen.
  std::optional<uint64_t> limit;
};

struct ReplayReport {
  uint64_t read = 0;
  // Messages of the topic that are no letters of a Tidegate reader.
  uint64_t foreign = 0;
  // Unless the replay was interrupted, the sum of all that follow.
  uint64_t chosen = 0;
  // In a dry run: the letters that would be written.
  uint64_t landed = 0;
  uint64_t already_there = 0;
  // Letters that cannot be replayed, because they hold only a part of the message's value.
  uint64_t cut = 0;
  // Letters that were refused again, by the kind of the new reason.
  std::map<std::string, uint64_t> refused;

  uint64_t refused_count() const;
  std::string Text(bool dry_run) const;
};

class Replay {
 public:
  struct Options {
    ReplayChoice choice = {};
    // Only decodes; does not use the database.
    bool dry_run = false;
    // A batch is written at the first of these limits.
    size_t batch_records = 1'000;
    size_t batch_bytes = 4 * 1024 * 1024;
    // How often a document is written whose result is kRetry, before it is refused.
    int max_attempts = 4;
    Backoff::Options backoff{};
    // How long the database may be unreachable before the replay ends.
    std::chrono::milliseconds patience{120'000};
    Folder::Options folder = {};
  };
  // The parts must outlive the replay.
  struct Parts {
    TopicReader& letters;
    DocumentStore& store;
    // nullptr in a dry run.
    ProjectionStore* projections;
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
    std::function<void(std::chrono::milliseconds)> wait;
  };

  Replay(Options options, Parts parts);

  // kUnavailable: interrupted; report() holds what was done until then.
  Status Run();
  const ReplayReport& report() const { return report_; }

 private:
  void Take(SourceMessage raw);
  bool Chosen(const StoredLetter& letter, const std::string& tenant) const;
  std::string TenantOf(const SourceMessage& message) const;
  void Refuse(const SourceMessage& message, const Refusal& refusal);
  bool Full() const;
  // Writes and folds the whole batch.
  Status Flush();
  // Calls `attempt` until `left` returns 0, and returns its error once it fails after the patience.
  Status Insist(const std::function<Status()>& attempt, const std::function<size_t()>& left);
  // Writes the batch once and applies the results.
  Status Attempt();
  // Counts the documents that are done, and keeps in the batch those that are to be tried again.
  void ApplyResults(const std::vector<WriteResult>& results);
  Status FoldLanded();
  void Keep(Document document, bool duplicate);

  struct Pending {
    SourceMessage message;
    int attempts = 0;
  };

  const Options options_;
  Parts parts_;
  Backoff backoff_;
  // The replay's name: the time at which it began.
  const std::string name_;
  std::optional<ReplayedFold> fold_;
  ReplayReport report_;
  // The batch: the documents, their messages in the same order, and the messages' bytes.
  std::vector<Document> documents_;
  std::vector<Pending> pending_;
  size_t bytes_ = 0;
  // Documents that have landed and are not yet folded.
  std::vector<ReplayedDocument> landed_;
  // Collections whose indexes are made.
  std::set<Namespace> indexed_;
};

}  // namespace tidegate::reader
