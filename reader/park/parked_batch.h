// Records that were read from the parking topic and are to land: one attempt writes them, publishes
// as dead letters what can never land, and folds what has landed into the projections. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "reader/consume/dead_letters.h"
#include "reader/consume/parked_message.h"
#include "reader/database/document_store.h"
#include "reader/project/replay/replayed_fold.h"

namespace tidegate::reader {

class ParkedBatch {
 public:
  struct Parts {
    DocumentStore& store;
    DeadLetters& dead_letters;
    ReplayedFold& fold;
  };
  // What became of the records of one database in one partition of the parking topic.
  struct Outcome {
    Partition partition;
    std::string database;
    // The offset of the last record.
    int64_t last = 0;
    // The first record that did not land, and why; -1: all have landed.
    int64_t failed = -1;
    std::string reason = {};
  };
  struct Tally {
    size_t landed = 0;
    size_t duplicates = 0;
    size_t letters = 0;
    // Letters that their topic refuses for good.
    size_t letters_lost = 0;
  };

  // Adds the record that is at `offset` of the parking topic's partition. Those of a partition come
  // in their order.
  void Add(const Partition& partition, int64_t offset, ParkedMessage parked,
           std::variant<Document, Refusal> decoded);
  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  size_t bytes() const { return bytes_; }
  size_t json_values() const { return json_values_; }
  void Drop(const std::set<Partition>& partitions);

  // Makes one attempt, and empties the batch. A document that the database does not accept for no
  // clear reason is written `max_attempts` times.
  std::vector<Outcome> Land(Parts parts, int max_attempts, WallTime now, Tally& tally);

  // Empties the batch without an attempt: every record fails for that reason.
  std::vector<Outcome> Postpone(const std::string& reason);

 private:
  struct Item {
    Partition partition;
    int64_t offset = 0;
    std::string database = {};
    // Which of the logs that its own partition has had contained the record.
    int64_t epoch = 0;
    SourceMessage message = {};
    std::optional<Document> document = {};
    // Why it can never land; it is published.
    std::optional<Refusal> refusal = {};
    bool duplicate = false;
    bool letter_lost = false;
    // Why it did not land this time.
    std::optional<std::string> failure = {};
    size_t bytes = 0;
    size_t json_values = 0;
  };

  void Write(DocumentStore& store, int max_attempts);
  // Returns the items that are to be written again.
  std::vector<size_t> WriteOnce(DocumentStore& store, const std::vector<size_t>& places,
                                bool last_attempt);
  void Publish(DeadLetters& dead_letters, WallTime now);
  void Fold(ReplayedFold& fold);
  std::vector<Outcome> Outcomes() const;
  void Count(Tally& tally) const;
  void Clear();

  std::vector<Item> items_;
  size_t bytes_ = 0;
  size_t json_values_ = 0;
};

}  // namespace tidegate::reader
