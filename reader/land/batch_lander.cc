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
}  // namespace

BatchLander::BatchLander(int max_attempts, Parts parts)
    : max_attempts_(max_attempts), parts_(parts) {
  CHECK(max_attempts_ > 0, "a document is written at least once");
}

Status BatchLander::Land(Batch& batch, const Limits& limits) {
  CHECK(limits.namespaces > 0, "a write covers at least one namespace");
  Status status = parts_.preparation.Migrate();
  if (status.ok()) status = parts_.preparation.EnsureIndexes(batch.documents(), limits.deadline);
  if (status.ok()) status = WriteDocuments(batch, limits);
  if (!status.ok()) {
    parts_.report.state().database_up = false;
    return status;
  }
  return PublishLetters(batch);
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
    Result<std::vector<WriteResult>> results = parts_.store.Write(documents);
    if (!results.ok()) return results.error();
    parts_.report.state().database_up = true;
    parts_.metrics.CountWrite(TallyWrite(documents, *results));
    const Batch::Tally tally = batch.ApplyResults(*results, max_attempts_, first);
    first += tally.retries;
    Count(tally);
    parts_.metrics.SetLastMessage(newest);
  }
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
  const size_t published = batch.ApplyLetterStatuses(statuses);
  parts_.metrics.CountPublished(published);
  parts_.report.state().dead_letters += published;
  const auto failed =
      std::ranges::find_if(statuses, [](const Status& status) { return !status.ok(); });
  return failed == statuses.end() ? Status() : *failed;
}

}  // namespace tidegate::reader
