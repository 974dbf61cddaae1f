// The messages that a worker has in hand, and how far each has come: its document is to be written,
// or it is to become a dead letter, or it is done. It knows which offsets may be stored, and
// touches neither database nor Kafka. One thread.
#pragma once

#include <cstddef>
#include <span>
#include <variant>
#include <vector>

#include "reader/consume/dead_letters.h"
#include "reader/consume/source.h"
#include "reader/database/document_store.h"

namespace tidegate::reader {

// How many JSON values may be in hand, about 20 MB while parsed: some bytes of JSON can mean many
// values.
inline constexpr size_t kMaxJsonValues = 200'000;

class Batch {
 public:
  struct Tally {
    size_t landed = 0;
    size_t duplicates = 0;
    size_t rejected = 0;  // These two became dead letters to be.
    size_t exhausted = 0;
    size_t retries = 0;
  };

  void Add(SourceMessage message, std::variant<Document, Refusal> decoded);

  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  // What it costs to hold: keys, values and headers, and about 50 bytes for each parsed JSON value.
  size_t payload_bytes() const { return payload_bytes_; }
  size_t json_values() const { return json_values_; }

  // The documents that are to be written, in the order of arrival until they are sorted. Settle()
  // and Drop() change what it points to.
  std::span<const Document> documents() const { return documents_; }
  std::span<Document> documents() { return documents_; }
  // Brings the documents of one namespace together; within it the order stays.
  void SortByNamespace();
  // REQUIRES: the results are of the documents from `first` on, of all or of some. A document that
  // is refused, or was tried `max_attempts` times, becomes a dead letter to be.
  Tally Settle(std::span<const WriteResult> results, int max_attempts, size_t first = 0);

  // What is to be published, in the order of arrival. Points into the batch.
  std::vector<DeadLetter> letters(WallTime now) const;
  // REQUIRES: one status for each of letters(). Returns how many are published.
  size_t SettleLetters(std::span<const Status> statuses);

  bool done() const;
  // For each partition the end of the done messages at its front; partitions without any are left
  // out.
  std::vector<Position> Finished() const;
  // Forgets the messages of these partitions.
  void Drop(std::span<const Partition> partitions);
  void Clear();

 private:
  enum class State { kToWrite, kToPublish, kDone };
  struct Item {
    SourceMessage message;
    State state = State::kToWrite;
    int attempts = 0;
    Refusal refusal = {};
  };

  void Account(const SourceMessage& message);
  // Of the item that is to come next.
  void AddDocument(Document document);

  std::vector<Item> items_;
  // The documents of the items that are kToWrite, and which item each belongs to.
  std::vector<Document> documents_;
  std::vector<size_t> item_of_;
  size_t payload_bytes_ = 0;
  size_t json_values_ = 0;
};

}  // namespace tidegate::reader
