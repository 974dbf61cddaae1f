#include "reader/project/replay/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/time_format.h"

namespace tidegate::reader {

namespace {
// Further refusals are only counted.
constexpr uint64_t kLoggedRefusals = 20;
}  // namespace

uint64_t ReplayReport::refused_count() const {
  uint64_t count = 0;
  for (const auto& [kind, letters] : refused) count += letters;
  return count;
}

std::string ReplayReport::Text(bool dry_run) const {
  std::string kinds;
  for (const auto& [kind, letters] : refused)
    kinds += fmt::format("{}{} {}", kinds.empty() ? "  (" : ", ", kind, letters);
  if (!kinds.empty()) kinds += ")";
  std::string text = fmt::format("{:<14} {}\n", "read", read);
  if (foreign > 0) text += fmt::format("{:<14} {}\n", "no letters", foreign);
  text += fmt::format("{:<14} {}\n", "chosen", chosen);
  text += fmt::format("{:<14} {}\n", dry_run ? "would be sent" : "landed", landed);
  if (!dry_run) text += fmt::format("{:<14} {}\n", "already there", already_there);
  text += fmt::format("{:<14} {}{}\n", "refused again", refused_count(), kinds);
  text += fmt::format("{:<14} {}\n", "cut", cut);
  return text;
}

Replay::Replay(Options options, Parts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      backoff_(options_.backoff, static_cast<uint64_t>(parts_.clock.SinceBoot().count())),
      name_(FormatTime(parts_.clock.Now())) {
  if (parts_.projections) fold_.emplace(options_.folder, *parts_.projections, parts_.store);
}

Status Replay::Run() {
  while (!options_.choice.limit || report_.chosen < *options_.choice.limit) {
    Result<std::optional<SourceMessage>> next = parts_.letters.Next();
    if (!next.ok()) {
      // The letters that were read still land.
      if (Status status = Flush(); !status.ok()) return status;
      return next.error();
    }
    if (!*next) break;
    Take(**std::move(next));
    if (!Full()) continue;
    if (Status status = Flush(); !status.ok()) return status;
  }
  return Flush();
}

void Replay::Take(SourceMessage raw) {
  ++report_.read;
  LetterPlace place{name_, PartitionName(raw.partition), raw.offset};
  std::optional<StoredLetter> letter = ReadLetter(std::move(raw));
  if (!letter) {
    ++report_.foreign;
    return;
  }
  auto decoded = parts_.decoder.Decode(letter->message, parts_.clock.Now());
  auto* document = std::get_if<Document>(&decoded);
  if (!Chosen(*letter, document ? document->tenant : TenantOf(letter->message))) return;
  ++report_.chosen;
  if (letter->cut) {
    ++report_.cut;
  } else if (!document) {
    Refuse(letter->message, std::get<Refusal>(decoded));
  } else if (options_.dry_run) {
    ++report_.landed;
  } else {
    bytes_ += letter->message.value->size();
    SetEpoch(*document, letter->epoch);
    document->provenance.dead_letter = std::move(place);
    documents_.push_back(std::move(*document));
    pending_.push_back({std::move(letter->message)});
  }
}

bool Replay::Chosen(const StoredLetter& letter, const std::string& tenant) const {
  const ReplayChoice& choice = options_.choice;
  return (!choice.reason || letter.reason_kind == *choice.reason) &&
         (!choice.tenant || tenant == *choice.tenant) &&
         (!choice.topic || letter.message.partition.topic == *choice.topic) &&
         (!choice.from || letter.time >= *choice.from) && (!choice.to || letter.time < *choice.to);
}

// For a message that does not decode: the tenant that its topic names, or its key, tenant/asset.
std::string Replay::TenantOf(const SourceMessage& message) const {
  const auto match = parts_.decoder.streams().Find(message.partition.topic);
  if (match && !match->tenant.empty()) return std::string(match->tenant);
  return message.key ? message.key->substr(0, message.key->find('/')) : "";
}

void Replay::Refuse(const SourceMessage& message, const Refusal& refusal) {
  ++report_.refused[std::string(RefusalKindName(refusal.kind))];
  if (report_.refused_count() > kLoggedRefusals) return;
  parts_.log.Warning("refused again: {} [{}] offset {}: {}", message.partition.topic,
                     message.partition.number, message.offset, Describe(refusal));
}

bool Replay::Full() const {
  return documents_.size() >= options_.batch_records || bytes_ >= options_.batch_bytes;
}

Status Replay::Flush() {
  Status status = Insist([this] { return Attempt(); }, [this] { return documents_.size(); });
  if (!status.ok()) return status;
  bytes_ = 0;
  CHECK(report_.chosen ==
            report_.landed + report_.already_there + report_.cut + report_.refused_count(),
        "each chosen letter is counted once");
  return Insist([this] { return FoldLanded(); }, [this] { return landed_.size(); });
}

Status Replay::Insist(const std::function<Status()>& attempt, const std::function<size_t()>& left) {
  const BootTime began = parts_.clock.SinceBoot();
  while (left() > 0) {
    const size_t before = left();
    const Status status = attempt();
    if (!status.ok()) {
      if (parts_.clock.SinceBoot() - began >= options_.patience) return status;
      parts_.log.Warning("{}; trying again", status.error().message);
    }
    if (left() < before) backoff_.Reset();
    if (left() > 0) parts_.wait(backoff_.Next());
  }
  return {};
}

// Folds all of a batch at once, because a document that was retried lands later than its
// successors.
Status Replay::FoldLanded() {
  Status status = fold_->Fold(landed_);
  if (status.ok()) landed_.clear();
  return status;
}

void Replay::Keep(Document document, bool duplicate) {
  if (fold_) landed_.push_back({std::move(document), duplicate});
}

Status Replay::Attempt() {
  for (const Document& document : documents_) {
    if (indexed_.contains(document.ns)) continue;
    if (Status status =
            parts_.store.EnsureIndexes(document.ns, parts_.decoder.IndexesOf(*document.stream));
        !status.ok())
      return status;
    indexed_.insert(document.ns);
  }
  const auto results = parts_.store.Write(documents_);
  if (!results.ok()) return results.error();
  const auto failed =
      std::ranges::find(*results, WriteOutcome::kUnavailable, &WriteResult::outcome);
  Status status;
  if (failed != results->end()) status = Error{ErrorCode::kUnavailable, failed->reason};
  ApplyResults(*results);
  return status;
}

void Replay::ApplyResults(const std::vector<WriteResult>& results) {
  CHECK(results.size() == documents_.size(), "each document has one result");
  CHECK(pending_.size() == documents_.size(), "each document has its message");
  std::vector<Document> documents = std::exchange(documents_, {});
  std::vector<Pending> pending = std::exchange(pending_, {});
  for (size_t i = 0; i < results.size(); ++i) {
    const WriteResult& result = results[i];
    switch (result.outcome) {
      case WriteOutcome::kLanded:
        ++report_.landed;
        Keep(std::move(documents[i]), false);
        break;
      case WriteOutcome::kDuplicate:
        ++report_.already_there;
        Keep(std::move(documents[i]), true);
        break;
      case WriteOutcome::kRejected:
        Refuse(pending[i].message, {RefusalKind::kDatabase, result.reason});
        break;
      case WriteOutcome::kRetry:
        if (++pending[i].attempts >= options_.max_attempts) {
          Refuse(pending[i].message, {RefusalKind::kRetries, result.reason});
        } else {
          documents_.push_back(std::move(documents[i]));
          pending_.push_back(std::move(pending[i]));
        }
        break;
      case WriteOutcome::kUnavailable:
        documents_.push_back(std::move(documents[i]));
        pending_.push_back(std::move(pending[i]));
        break;
    }
  }
}

}  // namespace tidegate::reader
