// The messages that a worker has polled and not finished, and the state of each: its document is to
// be written, it is to be published as a dead letter, it is to be parked, or it is done. The batch
// decides which offsets may be stored; it touches neither database nor Kafka. One thread.
//
// Invariants, each with the check that guards it (batch.cc):
// - Each item is in one state: documents + letters to publish + records to park + done items =
// items
//   (CheckBooks).
// - A write's result is applied to an item that is to be written, a publication's status to one
//   that is to be published; each answers one question only (ApplyResults, ApplyLetterStatuses).
// - A done item stays done, and only a batch whose items are all done is cleared (Clear).
// - What a dropped item cost is given back, and an empty batch costs nothing (Drop, CheckBooks).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "reader/consume/dead_letters.h"
#include "reader/consume/parking.h"
#include "reader/consume/source.h"
#include "reader/database/document_store.h"

namespace tidegate::reader {

// The parsed JSON values that a batch may hold, about 20 MB: a bound beside that of bytes, because
// few bytes of JSON can hold many values.
inline constexpr size_t kMaxJsonValues = 200'000;

class Batch {
 public:
  // How many documents each kind of result was applied to.
  struct Tally {
    size_t landed = 0;
    size_t duplicates = 0;
    // The database refused them for good: they are to be published as dead letters.
    size_t rejected = 0;
    // The attempts are used up: likewise.
    size_t exhausted = 0;
    // They are to be written again.
    size_t retries = 0;
    // Their database did not answer: likewise, and that was no attempt of the document's.
    size_t unavailable = 0;
  };

  // Adds a message; those of a partition come in the order of their delivery.
  void Add(SourceMessage message, std::variant<Document, Refusal> decoded);

  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  // The bytes of the messages' keys, values and headers. Parsed JSON comes on top: json_values().
  size_t payload_bytes() const { return payload_bytes_; }
  // The collections that the documents were added for, an estimate by hashes that does not shrink.
  size_t namespaces() const { return namespaces_.size(); }
  // The parsed JSON values of the documents that were added. It does not shrink when they land.
  size_t json_values() const { return json_values_; }

  // The documents that are to be written, in the order of arrival until they are sorted.
  // ApplyResults() and Drop() change what the span points to.
  std::span<const Document> documents() const { return documents_; }
  std::span<Document> documents() { return documents_; }
  // Brings the documents of one namespace together; within it the order stays.
  void SortByNamespace();
  // Applies the results of a write of the documents from `first` on, all of them or some. A
  // document that was rejected, or was written `max_attempts` times, is from then on to be
  // published. REQUIRES: as many documents follow `first` as there are results, and `max_attempts`
  // is the same for the whole batch.
  Tally ApplyResults(std::span<const WriteResult> results, int max_attempts, size_t first = 0);

  // Sets the epochs of the messages that became no document. Returns the first error of `epoch_of`.
  Status LabelRefused(const std::function<Result<int64_t>(const SourceMessage&)>& epoch_of);
  // What is to be published, in the order of arrival. Points into the batch.
  std::vector<DeadLetter> letters(WallTime now) const;
  struct LetterTally {
    size_t published = 0;
    // The topic refuses them for good.
    size_t lost = 0;
  };
  // Applies the answers to the publication of letters(). REQUIRES: one status for each of them.
  LetterTally ApplyLetterStatuses(std::span<const Status> statuses);

  // The databases of the documents that are to be written.
  std::set<std::string> databases() const;
  // The messages whose documents are to be written to one of these databases are from then on to be
  // parked. Returns how many they are.
  size_t Park(const std::set<std::string>& databases);
  // What is to be parked, in the order of arrival. Points into the batch.
  std::vector<ParkedRecord> parked() const;
  // Everything of parked() is parked; those that the parking topic refuses for good are to be
  // published as dead letters. REQUIRES: one place for each of parked(), and none is kUnavailable.
  void FinishParked(std::span<const Result<Position>> places);

  bool done() const { return done_ == items_.size(); }
  // For each partition the position after the done messages at its front; partitions whose first
  // message is not done are left out.
  std::vector<Position> Finished() const;
  // Removes the messages of these partitions, in whatever state they are.
  void Drop(std::span<const Partition> partitions);
  // REQUIRES: done().
  void Clear();

 private:
  enum class State { kToWrite, kToPublish, kToPark, kDone };
  struct Item {
    SourceMessage message;
    State state = State::kToWrite;
    int attempts = 0;
    Refusal refusal = {};
    // The database of its document, once it is to be parked.
    std::string database = {};
    // Which of the logs that its partition has had contained the message; no value: it is not known
    // yet, or the document has it.
    std::optional<int64_t> epoch = {};
  };

  void AddItem(Item&& item);
  // Adds the document of the item that is added next.
  void AddDocument(Document&& document);
  void Finish(Item& item);
  void Refuse(Item& item, Refusal refusal);
  // The document of the item at that place is refused.
  void RefuseDocument(size_t place, Refusal refusal);
  // Moves a document that is to be written again to an earlier place.
  void Keep(size_t from, size_t to);
  void CheckBooks() const;

  std::vector<Item> items_;
  // The documents of the items in kToWrite, and the index of each one's item.
  std::vector<Document> documents_;
  std::vector<size_t> item_of_;
  // The numbers of items in kToPublish, kToPark and kDone.
  size_t to_publish_ = 0;
  size_t to_park_ = 0;
  size_t done_ = 0;
  size_t payload_bytes_ = 0;
  size_t json_values_ = 0;
  std::unordered_set<size_t> namespaces_;
};

}  // namespace tidegate::reader
