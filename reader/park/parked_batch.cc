#include "reader/park/parked_batch.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

void ParkedBatch::Add(const Partition& partition, int64_t offset, ParkedMessage parked,
                      std::variant<Document, Refusal> decoded) {
  Item item{.partition = partition,
            .offset = offset,
            .database = std::move(parked.database),
            .epoch = parked.epoch,
            .message = std::move(parked.record)};
  item.bytes = item.message.value ? item.message.value->size() : 0;
  if (auto* document = std::get_if<Document>(&decoded)) {
    item.json_values = document->value.values();
    item.document = std::move(*document);
  } else {
    item.refusal = std::get<Refusal>(std::move(decoded));
  }
  bytes_ += item.bytes;
  json_values_ += item.json_values;
  items_.push_back(std::move(item));
}

void ParkedBatch::Drop(const std::set<Partition>& partitions) {
  std::erase_if(items_, [&](const Item& item) {
    if (!partitions.contains(item.partition)) return false;
    bytes_ -= item.bytes;
    json_values_ -= item.json_values;
    return true;
  });
  CHECK(!items_.empty() || (bytes_ == 0 && json_values_ == 0), "an empty batch costs nothing");
}

std::vector<ParkedBatch::Outcome> ParkedBatch::Land(Parts parts, int max_attempts, WallTime now,
                                                    Tally& tally) {
  CHECK(max_attempts > 0, "a document is written at least once");
  Write(parts.store, max_attempts);
  Publish(parts.dead_letters, now);
  Fold(parts.fold);
  std::vector<Outcome> outcomes = Outcomes();
  Count(tally);
  Clear();
  return outcomes;
}

std::vector<ParkedBatch::Outcome> ParkedBatch::Postpone(const std::string& reason) {
  for (Item& item : items_) item.failure = reason;
  std::vector<Outcome> outcomes = Outcomes();
  Clear();
  return outcomes;
}

void ParkedBatch::Clear() {
  items_.clear();
  bytes_ = 0;
  json_values_ = 0;
}

void ParkedBatch::Write(DocumentStore& store, int max_attempts) {
  std::vector<size_t> places;
  for (size_t i = 0; i < items_.size(); ++i)
    if (items_[i].document) places.push_back(i);
  std::ranges::stable_sort(places, {}, [&](size_t i) { return items_[i].document->ns; });
  for (int attempt = 1; !places.empty() && attempt <= max_attempts; ++attempt)
    places = WriteOnce(store, places, attempt == max_attempts);
  CHECK(places.empty(), "the last attempt leaves nothing to be written");
}

std::vector<size_t> ParkedBatch::WriteOnce(DocumentStore& store, const std::vector<size_t>& places,
                                           bool last_attempt) {
  std::vector<Document> documents;
  for (size_t place : places) documents.push_back(std::move(*items_[place].document));
  auto written = store.Write(documents);
  std::vector<WriteResult> results;
  if (written.ok()) {
    results = std::move(written).value();
  } else {
    results.assign(documents.size(), {WriteOutcome::kUnavailable, written.error().message});
  }
  CHECK(results.size() == documents.size(), "each document has one result");
  std::vector<size_t> again;
  for (size_t i = 0; i < places.size(); ++i) {
    Item& item = items_[places[i]];
    item.document = std::move(documents[i]);
    switch (results[i].outcome) {
      case WriteOutcome::kLanded:
        break;
      case WriteOutcome::kDuplicate:
        item.duplicate = true;
        break;
      case WriteOutcome::kRejected:
        item.refusal = Refusal{RefusalKind::kDatabase, results[i].reason};
        break;
      case WriteOutcome::kRetry:
        if (last_attempt) {
          item.refusal = Refusal{RefusalKind::kRetries, results[i].reason};
        } else {
          again.push_back(places[i]);
        }
        break;
      case WriteOutcome::kUnavailable:
        item.failure = results[i].reason;
        break;
    }
  }
  return again;
}

void ParkedBatch::Publish(DeadLetters& dead_letters, WallTime now) {
  std::vector<DeadLetter> letters;
  std::vector<Item*> refused;
  for (Item& item : items_) {
    if (!item.refusal) continue;
    letters.push_back({&item.message, &*item.refusal, now, item.epoch});
    refused.push_back(&item);
  }
  if (letters.empty()) return;
  const std::vector<Status> statuses = dead_letters.Publish(letters);
  CHECK(statuses.size() == letters.size(), "each letter has a status");
  for (size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].ok()) continue;
    if (statuses[i].error().code == ErrorCode::kRejected) {
      refused[i]->letter_lost = true;
    } else {
      refused[i]->failure = statuses[i].error().message;
    }
  }
}

// Each database by itself, so that one whose projections cannot be saved fails alone.
void ParkedBatch::Fold(ReplayedFold& fold) {
  std::map<std::string, std::vector<size_t>> by_database;
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    if (item.document && !item.refusal && !item.failure)
      by_database[item.document->ns.database].push_back(i);
  }
  for (const auto& [database, places] : by_database) {
    std::vector<ReplayedDocument> landed;
    for (size_t place : places)
      landed.push_back({std::move(*items_[place].document), items_[place].duplicate});
    const Status status = fold.Fold(landed);
    if (status.ok()) continue;
    for (size_t place : places) items_[place].failure = status.error().message;
  }
}

std::vector<ParkedBatch::Outcome> ParkedBatch::Outcomes() const {
  std::map<std::pair<Partition, std::string>, Outcome> outcomes;
  for (const Item& item : items_) {
    Outcome& outcome = outcomes[{item.partition, item.database}];
    outcome.partition = item.partition;
    outcome.database = item.database;
    outcome.last = item.offset;
    if (!item.failure || outcome.failed >= 0) continue;
    outcome.failed = item.offset;
    outcome.reason = *item.failure;
  }
  std::vector<Outcome> list;
  for (auto& [key, outcome] : outcomes) list.push_back(std::move(outcome));
  return list;
}

void ParkedBatch::Count(Tally& tally) const {
  for (const Item& item : items_) {
    if (item.failure) continue;
    if (item.refusal) {
      ++(item.letter_lost ? tally.letters_lost : tally.letters);
    } else if (item.duplicate) {
      ++tally.duplicates;
    } else {
      ++tally.landed;
    }
  }
}

}  // namespace tidegate::reader
