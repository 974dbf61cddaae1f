#include "reader/project/replay/replayed_fold.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace tidegate::reader {

namespace {
Folder::Options WithStates(Folder::Options options, bool states) {
  options.folds.scope = states ? FoldScope::kAll : FoldScope::kWithoutStates;
  return options;
}

bool SameLetter(const LetterPlace& a, const LetterPlace& b) {
  return std::tie(a.partition, a.offset) == std::tie(b.partition, b.offset);
}
}  // namespace

ReplayedFold::ReplayedFold(Folder::Options options, ProjectionStore& projections,
                           DocumentStore& documents, bool in_order)
    : projections_(projections),
      folder_(WithStates(std::move(options), in_order), {projections, documents}) {}

Status ReplayedFold::Fold(std::span<ReplayedDocument> replayed) {
  const auto replays = FindReplays(replayed);
  if (!replays.ok()) return replays.error();
  std::vector<Event> events;
  for (size_t i = 0; i < replayed.size(); ++i) {
    const std::string& replay = (*replays)[i];
    if (replay.empty()) continue;
    const Document& document = replayed[i].document;
    LetterPlace letter = *document.provenance.dead_letter;
    letter.replay = replay;
    events.push_back({&document, LetterPartition(letter), letter.offset});
  }
  std::ranges::stable_sort(events, [](const Event& a, const Event& b) {
    return std::tie(a.partition, a.offset) < std::tie(b.partition, b.offset);
  });
  return folder_.Fold(events);
}

Result<std::vector<std::string>> ReplayedFold::FindReplays(std::span<ReplayedDocument> replayed) {
  std::map<DocumentKey, size_t> places;
  std::vector<DocumentKey> keys;
  for (const ReplayedDocument& one : replayed) {
    CHECK(one.document.provenance.dead_letter.has_value(), "a replayed document names its letter");
    DocumentKey key{one.document.ns, one.document.id};
    if (one.duplicate && places.emplace(key, keys.size()).second) keys.push_back(std::move(key));
  }
  const auto landed = projections_.FindLanded(keys);
  if (!landed.ok()) return landed.error();
  CHECK(landed->size() == keys.size(), "each key has one answer");
  std::vector<std::string> replays;
  for (ReplayedDocument& one : replayed) {
    Provenance& origin = one.document.provenance;
    replays.push_back(one.duplicate ? "" : origin.dead_letter->replay);
    if (!one.duplicate) continue;
    const auto& found = (*landed)[places.at({one.document.ns, one.document.id})];
    if (!found || !found->dead_letter || !SameLetter(*found->dead_letter, *origin.dead_letter))
      continue;
    replays.back() = found->dead_letter->replay;
    origin.received_at = found->received_at;
  }
  return replays;
}

}  // namespace tidegate::reader
