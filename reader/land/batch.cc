#include "reader/land/batch.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace tidegate::reader {

// Values are separated by commas, and containers open.

void Batch::Account(const SourceMessage& message) {
  if (message.key) payload_bytes_ += message.key->size();
  for (const auto& [name, value] : message.headers) payload_bytes_ += name.size() + value.size();
  if (message.value) payload_bytes_ += message.value->size();
}

void Batch::AddDocument(Document document) {
  json_values_ += document.value.values();
  documents_.push_back(std::move(document));
  item_of_.push_back(items_.size());
}

void Batch::Add(SourceMessage message, std::variant<Document, Refusal> decoded) {
  Account(message);
  Item item{.message = std::move(message)};
  if (auto* document = std::get_if<Document>(&decoded)) {
    AddDocument(std::move(*document));
  } else {
    item.state = State::kToPublish;
    item.refusal = std::get<Refusal>(std::move(decoded));
  }
  items_.push_back(std::move(item));
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

Batch::Tally Batch::Settle(std::span<const WriteResult> results, int max_attempts, size_t first) {
  assert(first + results.size() <= documents_.size());
  Tally tally;
  size_t kept = first;
  const size_t end = first + results.size();
  for (size_t i = first; i < end; ++i) {
    Item& item = items_[item_of_[i]];
    const WriteResult& result = results[i - first];
    switch (result.outcome) {
      case Outcome::kLanded:
        ++tally.landed;
        item.state = State::kDone;
        break;
      case Outcome::kDuplicate:
        ++tally.duplicates;
        item.state = State::kDone;
        break;
      case Outcome::kRejected:
        ++tally.rejected;
        item.state = State::kToPublish;
        item.refusal = {RefusalKind::kDatabase, result.reason};
        break;
      case Outcome::kRetry:
        if (++item.attempts >= max_attempts) {
          ++tally.exhausted;
          item.state = State::kToPublish;
          item.refusal = {RefusalKind::kRetries, result.reason};
        } else {
          ++tally.retries;
          if (kept != i) documents_[kept] = std::move(documents_[i]);
          item_of_[kept] = item_of_[i];
          ++kept;
        }
        break;
    }
  }
  const auto settled = static_cast<std::ptrdiff_t>(kept);
  const auto rest = static_cast<std::ptrdiff_t>(end);
  documents_.erase(documents_.begin() + settled, documents_.begin() + rest);
  item_of_.erase(item_of_.begin() + settled, item_of_.begin() + rest);
  return tally;
}

std::vector<DeadLetter> Batch::letters(WallTime now) const {
  std::vector<DeadLetter> letters;
  for (const Item& item : items_) {
    if (item.state == State::kToPublish) letters.push_back({&item.message, &item.refusal, now});
  }
  return letters;
}

size_t Batch::SettleLetters(std::span<const Status> statuses) {
  size_t published = 0;
  size_t next = 0;
  for (Item& item : items_) {
    if (item.state != State::kToPublish) continue;
    assert(next < statuses.size());
    if (!statuses[next++].ok()) continue;
    item.state = State::kDone;
    ++published;
  }
  return published;
}

bool Batch::done() const {
  return std::ranges::all_of(items_, [](const Item& item) { return item.state == State::kDone; });
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
  std::vector<size_t> document_of(items_.size(), documents_.size());
  for (size_t i = 0; i < item_of_.size(); ++i) document_of[item_of_[i]] = i;
  for (size_t i = 0; i < items_.size(); ++i) {
    if (dropped.contains(items_[i].message.partition)) continue;
    if (document_of[i] < documents_.size()) {
      rest.AddDocument(std::move(documents_[document_of[i]]));
    }
    rest.Account(items_[i].message);
    rest.items_.push_back(std::move(items_[i]));
  }
  *this = std::move(rest);
}

// The next batch is about as large.
void Batch::Clear() {
  items_.clear();
  documents_.clear();
  item_of_.clear();
  payload_bytes_ = 0;
  json_values_ = 0;
}

}  // namespace tidegate::reader
