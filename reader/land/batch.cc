#include "reader/land/batch.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

namespace {
size_t HashOf(const Namespace& ns) {
  return std::hash<std::string>()(ns.database) ^ (std::hash<std::string>()(ns.collection) * 31);
}

size_t BytesOf(const SourceMessage& message) {
  size_t bytes = 0;
  if (message.key) bytes += message.key->size();
  for (const auto& [name, value] : message.headers) bytes += name.size() + value.size();
  if (message.value) bytes += message.value->size();
  return bytes;
}
}  // namespace

void Batch::CheckBooks() const {
  CHECK(documents_.size() == item_of_.size(), "each document has its item");
  CHECK(documents_.size() + to_publish_ + to_park_ + done_ == items_.size(),
        "each item of a batch is in one state");
  CHECK(!items_.empty() || (payload_bytes_ == 0 && json_values_ == 0),
        "an empty batch costs nothing");
}

void Batch::AddItem(Item&& item) {
  payload_bytes_ += BytesOf(item.message);
  if (item.state == State::kToPublish) ++to_publish_;
  if (item.state == State::kToPark) ++to_park_;
  if (item.state == State::kDone) ++done_;
  items_.push_back(std::move(item));
}

void Batch::AddDocument(Document&& document) {
  json_values_ += document.value.values();
  namespaces_.insert(HashOf(document.ns));
  documents_.push_back(std::move(document));
  item_of_.push_back(items_.size());
}

void Batch::Add(SourceMessage message, std::variant<Document, Refusal> decoded) {
  Item item{.message = std::move(message)};
  if (auto* document = std::get_if<Document>(&decoded)) {
    AddDocument(std::move(*document));
  } else {
    item.state = State::kToPublish;
    item.refusal = std::get<Refusal>(std::move(decoded));
  }
  AddItem(std::move(item));
  CheckBooks();
}

void Batch::Finish(Item& item) {
  CHECK(item.state != State::kDone, "an item is finished once");
  item.state = State::kDone;
  ++done_;
}

void Batch::Refuse(Item& item, Refusal refusal) {
  item.state = State::kToPublish;
  item.refusal = std::move(refusal);
  ++to_publish_;
}

void Batch::RefuseDocument(size_t place, Refusal refusal) {
  Item& item = items_[item_of_[place]];
  item.epoch = documents_[place].provenance.epoch;
  Refuse(item, std::move(refusal));
}

Status Batch::LabelRefused(const std::function<Result<int64_t>(const SourceMessage&)>& epoch_of) {
  for (Item& item : items_) {
    if (item.state != State::kToPublish || item.epoch) continue;
    const auto epoch = epoch_of(item.message);
    if (!epoch.ok()) return epoch.error();
    item.epoch = *epoch;
  }
  return {};
}

void Batch::SortByNamespace() {
  if (std::ranges::is_sorted(documents_, {}, &Document::ns)) return;
  std::vector<size_t> order(documents_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order,
                           [&](size_t a, size_t b) { return documents_[a].ns < documents_[b].ns; });
  std::vector<Document> documents;
  std::vector<size_t> item_of;
  documents.reserve(order.size());
  item_of.reserve(order.size());
  for (size_t i : order) {
    documents.push_back(std::move(documents_[i]));
    item_of.push_back(item_of_[i]);
  }
  documents_ = std::move(documents);
  item_of_ = std::move(item_of);
}

void Batch::Keep(size_t from, size_t to) {
  if (to == from) return;
  documents_[to] = std::move(documents_[from]);
  item_of_[to] = item_of_[from];
}

Batch::Tally Batch::ApplyResults(std::span<const WriteResult> results, int max_attempts,
                                 size_t first) {
  CHECK(first <= documents_.size() && results.size() <= documents_.size() - first,
        "a write has no more results than documents");
  Tally tally;
  size_t kept = first;
  const size_t end = first + results.size();
  for (size_t i = first; i < end; ++i) {
    Item& item = items_[item_of_[i]];
    CHECK(item.state == State::kToWrite, "a result belongs to an item that is to be written");
    CHECK(item.attempts < max_attempts, "no document is written too often");
    const WriteResult& result = results[i - first];
    switch (result.outcome) {
      case WriteOutcome::kLanded:
        ++tally.landed;
        Finish(item);
        break;
      case WriteOutcome::kDuplicate:
        ++tally.duplicates;
        Finish(item);
        break;
      case WriteOutcome::kRejected:
        ++tally.rejected;
        RefuseDocument(i, {RefusalKind::kDatabase, result.reason});
        break;
      case WriteOutcome::kRetry:
        if (++item.attempts >= max_attempts) {
          ++tally.exhausted;
          RefuseDocument(i, {RefusalKind::kRetries, result.reason});
        } else {
          ++tally.retries;
          Keep(i, kept++);
        }
        break;
      case WriteOutcome::kUnavailable:
        ++tally.unavailable;
        Keep(i, kept++);
        break;
    }
  }
  const auto answered = static_cast<std::ptrdiff_t>(kept);
  const auto rest = static_cast<std::ptrdiff_t>(end);
  documents_.erase(documents_.begin() + answered, documents_.begin() + rest);
  item_of_.erase(item_of_.begin() + answered, item_of_.begin() + rest);
  CHECK(tally.landed + tally.duplicates + tally.rejected + tally.exhausted + tally.retries +
                tally.unavailable ==
            results.size(),
        "each result is applied to one document");
  CheckBooks();
  return tally;
}

std::vector<DeadLetter> Batch::letters(WallTime now) const {
  std::vector<DeadLetter> letters;
  for (const Item& item : items_) {
    if (item.state == State::kToPublish)
      letters.push_back({&item.message, &item.refusal, now, item.epoch.value_or(0)});
  }
  CHECK(letters.size() == to_publish_, "every refused message becomes a letter");
  return letters;
}

Batch::LetterTally Batch::ApplyLetterStatuses(std::span<const Status> statuses) {
  CHECK(statuses.size() == to_publish_, "a publication has one status for each letter");
  LetterTally tally;
  size_t next = 0;
  for (Item& item : items_) {
    if (item.state != State::kToPublish) continue;
    const Status& status = statuses[next++];
    if (!status.ok() && status.error().code != ErrorCode::kRejected) continue;
    ++(status.ok() ? tally.published : tally.lost);
    Finish(item);
  }
  to_publish_ -= tally.published + tally.lost;
  CheckBooks();
  return tally;
}

std::set<std::string> Batch::databases() const {
  std::set<std::string> databases;
  const std::string* last = nullptr;
  for (const Document& document : documents_) {
    if (last && document.ns.database == *last) continue;
    last = &*databases.insert(document.ns.database).first;
  }
  return databases;
}

size_t Batch::Park(const std::set<std::string>& databases) {
  if (databases.empty()) return 0;
  size_t kept = 0;
  for (size_t i = 0; i < documents_.size(); ++i) {
    if (!databases.contains(documents_[i].ns.database)) {
      Keep(i, kept++);
      continue;
    }
    Item& item = items_[item_of_[i]];
    CHECK(item.state == State::kToWrite, "what is parked was to be written");
    item.state = State::kToPark;
    item.database = std::move(documents_[i].ns.database);
    item.epoch = documents_[i].provenance.epoch;
    ++to_park_;
  }
  const size_t parked = documents_.size() - kept;
  documents_.erase(documents_.begin() + static_cast<std::ptrdiff_t>(kept), documents_.end());
  item_of_.resize(kept);
  CheckBooks();
  return parked;
}

std::vector<ParkedRecord> Batch::parked() const {
  std::vector<ParkedRecord> records;
  for (const Item& item : items_) {
    if (item.state == State::kToPark)
      records.push_back({&item.message, &item.database, item.epoch.value_or(0)});
  }
  CHECK(records.size() == to_park_, "every message to park becomes a record");
  return records;
}

void Batch::FinishParked(std::span<const Result<Position>> places) {
  CHECK(places.size() == to_park_, "each record to park has one place");
  size_t next = 0;
  for (Item& item : items_) {
    if (item.state != State::kToPark) continue;
    const Result<Position>& place = places[next++];
    if (place.ok()) {
      Finish(item);
    } else {
      CHECK(place.error().code == ErrorCode::kRejected, "nothing is left to be parked");
      Refuse(item, {RefusalKind::kDatabase, place.error().message});
    }
  }
  to_park_ = 0;
  CheckBooks();
}

std::vector<Position> Batch::Finished() const {
  std::map<Partition, int64_t> next;
  std::set<Partition> open;
  for (const Item& item : items_) {
    if (item.state != State::kDone) {
      open.insert(item.message.partition);
    } else if (!open.contains(item.message.partition)) {
      next[item.message.partition] = item.message.offset + 1;
    }
  }
  std::vector<Position> positions;
  for (const auto& [partition, offset] : next) positions.push_back({partition, offset});
  return positions;
}

void Batch::Drop(std::span<const Partition> partitions) {
  const std::set<Partition> dropped(partitions.begin(), partitions.end());
  Batch rest;
  size_t dropped_bytes = 0;
  std::vector<size_t> document_of(items_.size(), documents_.size());
  for (size_t i = 0; i < item_of_.size(); ++i) document_of[item_of_[i]] = i;
  for (size_t i = 0; i < items_.size(); ++i) {
    if (dropped.contains(items_[i].message.partition)) {
      dropped_bytes += BytesOf(items_[i].message);
      continue;
    }
    if (document_of[i] < documents_.size()) {
      rest.AddDocument(std::move(documents_[document_of[i]]));
    }
    rest.AddItem(std::move(items_[i]));
  }
  CHECK(rest.payload_bytes_ + dropped_bytes == payload_bytes_,
        "a dropped item gives its bytes back");
  CHECK(rest.json_values_ <= json_values_, "dropping adds no values");
  rest.CheckBooks();
  *this = std::move(rest);
}

// Keeps the memory, because the next batch is about as large.
void Batch::Clear() {
  CHECK(done(), "a batch is cleared only when it is done");
  items_.clear();
  documents_.clear();
  item_of_.clear();
  to_publish_ = 0;
  to_park_ = 0;
  done_ = 0;
  payload_bytes_ = 0;
  json_values_ = 0;
  namespaces_.clear();
  CheckBooks();
}

}  // namespace tidegate::reader
