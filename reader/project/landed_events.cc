#include "reader/project/landed_events.h"

#include <map>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

namespace {
bool LandedFrom(const Landed& landed, const Buffer::Item& item, int64_t epoch) {
  return !landed.dead_letter && landed.offset == item.offset && landed.epoch == epoch &&
         landed.partition == item.partition.number && landed.topic == item.partition.topic;
}
}  // namespace

Result<LandedEvents> FindLandedEvents(ProjectionStore& projections,
                                      const LandedPositions& positions,
                                      std::span<Buffer::Item* const> items) {
  std::vector<DocumentKey> keys;
  std::vector<size_t> key_of;
  std::map<DocumentKey, size_t> places;  // A record may be in Kafka twice.
  for (Buffer::Item* item : items) {
    // The landing has named the document by its epoch as well.
    SetEpoch(*item->document, positions.EpochOf(item->partition));
    const auto [place, is_new] =
        places.emplace(DocumentKey{item->document->ns, item->document->id}, keys.size());
    if (is_new) keys.push_back(place->first);
    key_of.push_back(place->second);
  }
  const auto landed = projections.FindLanded(keys);
  if (!landed.ok()) return landed.error();
  CHECK(landed->size() == keys.size(), "each key has one answer");
  LandedEvents found;
  for (size_t i = 0; i < items.size(); ++i) {
    Buffer::Item& item = *items[i];
    const auto& origin = (*landed)[key_of[i]];
    if (!origin) {
      ++found.absent;
    } else if (!LandedFrom(*origin, item, positions.EpochOf(item.partition))) {
      ++found.repeated;
    } else {
      // A message without a time has the time that the landing gave it, and its receipt was there.
      item.document->time = origin->time;
      item.document->provenance.received_at = origin->received_at;
      found.events.push_back({&*item.document, positions.NameOf(item.partition), item.offset});
    }
  }
  CHECK(found.events.size() + found.absent + found.repeated == items.size(),
        "each message is counted once");
  return found;
}

}  // namespace tidegate::reader
