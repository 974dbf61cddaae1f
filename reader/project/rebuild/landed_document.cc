#include "reader/project/rebuild/landed_document.h"

#include <charconv>
#include <limits>
#include <utility>

#include "core/time_format.h"
#include "reader/decode/message_fields.h"

namespace tidegate::reader {

namespace {
// The limits of a landed document: those of a message, and room for what an enrichment added.
constexpr json::Limits kLimits{
    .max_bytes = 32 * 1024 * 1024, .max_depth = 100, .max_values = 500'000};

std::string TextOf(json::Value object, std::string_view name) {
  const auto member = object.Find(name);
  return member ? IdText(*member).value_or("") : "";
}

template <typename Number>
bool ReadNumber(json::Value object, std::string_view name, Number& number) {
  const std::string text = TextOf(object, name);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0;
}

TimeOrigin OriginOf(std::string_view name) {
  for (const TimeOrigin origin : {TimeOrigin::kGateway, TimeOrigin::kBroker})
    if (TimeOriginName(origin) == name) return origin;
  return TimeOrigin::kSource;
}

// Reads the document's origin, which an alert by a rule copies from the document that raised it.
bool ReadProvenance(json::Value root, Provenance& provenance) {
  const auto origin = root.Find("tidegate");
  if (!origin) return false;
  provenance.gateway = TextOf(*origin, "gateway");
  provenance.sequence_id = TextOf(*origin, "sequence_id");
  provenance.time = OriginOf(TextOf(*origin, "time"));
  provenance.clock_synced = TextOf(*origin, "clock") != "unsynced";
  provenance.restamped = origin->Find("restamped").has_value();
  provenance.replayed = origin->Find("replayed").has_value();
  provenance.topic = TextOf(*origin, "topic");
  provenance.received_at = ParseTime(TextOf(*origin, "received_at")).value_or(WallTime());
  provenance.expires_at = ParseTime(TextOf(*origin, "expires_at"));
  ReadNumber(*origin, "schema", provenance.schema);
  int64_t epoch = 0;
  ReadNumber(*origin, "epoch", epoch);
  provenance.epoch = epoch;
  LetterPlace letter{.replay = TextOf(*origin, "replay"),
                     .partition = TextOf(*origin, "dead_letter")};
  if (!letter.replay.empty() && ReadNumber(*origin, "dead_letter_offset", letter.offset))
    provenance.dead_letter = std::move(letter);
  return !provenance.topic.empty() && ReadNumber(*origin, "partition", provenance.partition) &&
         ReadNumber(*origin, "offset", provenance.offset);
}
}  // namespace

std::optional<Document> ReadLandedDocument(const Namespace& ns, std::string_view text,
                                           const StreamTable& streams) {
  auto parsed = json::Document::Parse(text, kLimits);
  if (!parsed.ok()) return std::nullopt;
  Document document{.ns = ns, .value = std::move(parsed).value()};
  const json::Value root = document.value.root();
  document.id = TextOf(root, "_id");
  document.tenant = TextOf(root, "tenant_id");
  document.asset = TextOf(root, "asset_id");
  const auto time = ParseTime(TextOf(root, "timestamp"));
  if (!time || !ReadProvenance(root, document.provenance)) return std::nullopt;
  document.time = *time;
  if (const auto match = streams.Find(document.provenance.topic)) document.stream = match->stream;
  return document;
}

}  // namespace tidegate::reader
