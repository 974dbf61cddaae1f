#include "reader/land/batch_lander.h"

#include <algorithm>

#include "core/check.h"
#include "reader/decode/stream.h"
#include "reader/land/write_tally.h"

namespace tidegate::reader {

namespace {
// The documents at the front that are in at most `count` namespaces.
std::span<const Document> FirstNamespaces(std::span<const Document> documents, size_t count) {
  size_t end = 0;
  for (size_t seen = 0; end < documents.size(); ++end) {
    const bool is_new = end == 0 || documents[end].ns != documents[end - 1].ns;
    if (is_new && ++seen > count) break;
  }
  return documents.first(end);
}

// Why each database fails whose documents are kUnavailable.
Lanes::Failures FailuresOf(std::span<const Document> documents,
                           std::span<const WriteResult> results) {
  Lanes::Failures failures;
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].outcome == WriteOutcome::kUnavailable)
      failures.emplace(documents[i].ns.database, results[i].reason);
  }
  return failures;
}
}  // namespace

BatchLander::BatchLander(int max_attempts, Parts parts)
    : max_attempts_(max_attempts), parts_(parts) {
  CHECK(max_attempts_ > 0, "a document is written at least once");
}

Status BatchLander::Land(Batch& batch, const Limits& limits) {
  CHECK(limits.namespaces > 0, "a write covers at least one namespace");
  Status status = parts_.preparation.Check();
  if (status.ok()) status = parts_.lanes.Read(batch.databases());
  if (status.ok()) {
    batch.Park(parts_.lanes.parked());
    status = WriteDocuments(batch, limits);
  }
  if (!status.ok()) {
    parts_.report.state().database_up = false;
    return status;
  }
  status = ParkRecords(batch);
  return status.ok() ? PublishLetters(batch) : status;
}

Status BatchLander::WriteDocuments(Batch& batch, const Limits& limits) {
  batch.SortByNamespace();
  EnrichAgain(batch);
  // Documents that the database wants to be written again stay in front, for the next attempt.
  size_t first = 0;
  while (first < batch.documents().size() && !IsPast(limits.deadline)) {
    const std::span<const Document> rest = batch.documents().subspan(first);
    const auto documents = FirstNamespaces(rest, limits.namespaces);
    const WallTime newest = std::ranges::max_element(documents, {}, &Document::time)->time;
    parts_.preparation.WantIndexes(documents);
    const std::vector<WriteResult> results = Write(documents);
    const Lanes::Failures failures = FailuresOf(documents, results);
    parts_.metrics.CountWrite(TallyWrite(documents, results));
    const Batch::Tally tally = batch.ApplyResults(results, max_attempts_, first);
    first += tally.retries;
    Count(tally);
    if (!failures.empty()) {
      if (Status status = Divert(failures, batch); !status.ok()) return status;
    }
    parts_.report.state().database_up = true;
    if (tally.landed + tally.duplicates > 0) parts_.metrics.SetLastMessage(newest);
  }
  return {};
}

std::vector<WriteResult> BatchLander::Write(std::span<const Document> documents) {
  Result<std::vector<WriteResult>> results = parts_.store.Write(documents);
  if (results.ok()) return std::move(results).value();
  return std::vector<WriteResult>(documents.size(),
                                  WriteResult{WriteOutcome::kUnavailable, results.error().message});
}

// A main database that does not answer can keep no positions, so that nothing could be finished.
Status BatchLander::Divert(const Lanes::Failures& failures, Batch& batch) {
  if (Status status = parts_.store.Ping(); !status.ok()) return status;
  if (!parts_.lanes.ParkFailing(failures))
    return Error{ErrorCode::kUnavailable, failures.begin()->second};
  batch.Park(parts_.lanes.parked());
  return {};
}

Status BatchLander::ParkRecords(Batch& batch) {
  parts_.report.state().parked = parts_.lanes.reasons();
  const std::vector<ParkedRecord> records = batch.parked();
  if (records.empty()) return {};
  const auto places = parts_.lanes.Park(records);
  if (!places.ok()) return places.error();
  batch.FinishParked(*places);
  return {};
}

// What sources have answered while the documents waited for the batch.
void BatchLander::EnrichAgain(Batch& batch) {
  if (!parts_.enrichment) return;
  for (Document& document : batch.documents()) {
    if (!document.pending.empty()) parts_.enrichment->Attach(document.stream->name, document);
  }
}

void BatchLander::Count(const Batch::Tally& tally) {
  parts_.metrics.CountRefused(RefusalKind::kDatabase, tally.rejected);
  parts_.metrics.CountRefused(RefusalKind::kRetries, tally.exhausted);
  parts_.metrics.CountLanded(tally.landed, tally.duplicates);
  parts_.metrics.CountRetries(tally.retries);
  parts_.report.state().landed += tally.landed;
  parts_.report.state().duplicates += tally.duplicates;
}

Status BatchLander::PublishLetters(Batch& batch) {
  const std::vector<DeadLetter> letters = batch.letters(parts_.clock.Now());
  if (letters.empty()) return {};
  if (const auto count = refusal_log_.Count(parts_.clock.SinceBoot(), letters.size())) {
    const DeadLetter& first = letters.front();
    parts_.log.Warning("{} messages to the dead letters; the first, {} [{}] offset {}: {}", *count,
                       first.message->partition.topic, first.message->partition.number,
                       first.message->offset, Describe(*first.refusal));
  }
  const std::vector<Status> statuses = parts_.dead_letters.Publish(letters);
  const Batch::LetterTally tally = batch.ApplyLetterStatuses(statuses);
  parts_.metrics.CountPublished(tally.published);
  parts_.metrics.CountLettersLost(tally.lost);
  parts_.report.state().dead_letters += tally.published;
  const auto failed = std::ranges::find_if(statuses, [](const Status& status) {
    return !status.ok() && status.error().code != ErrorCode::kRejected;
  });
  return failed == statuses.end() ? Status() : *failed;
}

}  // namespace tidegate::reader
