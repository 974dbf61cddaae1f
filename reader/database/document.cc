#include "reader/database/document.h"

#include <algorithm>
#include <optional>

#include "core/check.h"
#include "core/time_format.h"

namespace tidegate::reader {

namespace {
struct Seen {
  bool tenant = false;
  bool asset = false;
  bool time = false;
  bool processed = false;
};

void WriteMember(const Document& document, json::Value member, Seen& seen, MemberSink& sink) {
  const std::string_view name = member.key();
  CHECK(name != "_id" && name != "tidegate", "a decoded document has no member of the landing's");
  if (name == "tenant_id" && !document.tenant.empty()) {
    seen.tenant = true;
    return sink.String(name, document.tenant);
  }
  if (name == "asset_id" && !document.asset.empty()) {
    seen.asset = true;
    return sink.String(name, document.asset);
  }
  if (name == "timestamp") {
    seen.time = true;
    return sink.Time(name, document.time);
  }
  if (name == "processed_at") seen.processed = true;
  if ((name == "ts" || name == "raised_at") && member.is_string()) {
    if (const auto time = ParseTime(member.as_string())) return sink.Time(name, *time);
  }
  sink.Json(name, member);
}

void WriteLetterPlace(const LetterPlace& place, MemberSink& sink) {
  sink.String("replay", place.replay);
  sink.String("dead_letter", place.partition);
  sink.Integer("dead_letter_offset", place.offset);
}

void WriteProvenance(const Document& document, MemberSink& sink) {
  const Provenance& provenance = document.provenance;
  sink.BeginObject("tidegate");
  if (!provenance.gateway.empty()) sink.String("gateway", provenance.gateway);
  if (!provenance.sequence_id.empty()) sink.String("sequence_id", provenance.sequence_id);
  sink.String("time", TimeOriginName(provenance.time));
  sink.String("clock", provenance.clock_synced ? "synced" : "unsynced");
  if (BoundedTime(document) < document.time) sink.Bool("time_suspect", true);
  if (provenance.restamped) sink.Bool("restamped", true);
  if (provenance.replayed) sink.Bool("replayed", true);
  sink.String("topic", provenance.topic);
  sink.Integer("partition", provenance.partition);
  sink.Integer("offset", provenance.offset);
  if (provenance.epoch.value_or(0) > 0) sink.Integer("epoch", *provenance.epoch);
  sink.Time("received_at", provenance.received_at);
  if (provenance.expires_at) sink.Time("expires_at", *provenance.expires_at);
  sink.Integer("schema", provenance.schema);
  if (provenance.dead_letter) WriteLetterPlace(*provenance.dead_letter, sink);
  for (const std::string& mark : document.pending) sink.Time(mark, provenance.received_at);
  sink.EndObject();
}
}  // namespace

std::string_view TimeOriginName(TimeOrigin origin) {
  switch (origin) {
    case TimeOrigin::kSource:
      return "source";
    case TimeOrigin::kGateway:
      return "gateway";
    case TimeOrigin::kBroker:
      return "broker";
  }
  return "";
}

void SetEpoch(Document& document, int64_t epoch) {
  if (document.provenance.epoch) return;
  document.provenance.epoch = epoch;
  if (epoch > 0 && document.named_by_place) document.id += "@" + std::to_string(epoch);
}

WallTime BoundedTime(const Document& document) {
  const WallTime received = document.provenance.received_at;
  return received == WallTime() ? document.time
                                : std::min(document.time, received + kClockTolerance);
}

void WriteMembers(const Document& document, MemberSink& sink) {
  CHECK(document.value.root().is_object(), "a document's value is an object");
  sink.String("_id", document.id);
  Seen seen;
  for (auto member = document.value.root().First(); member; member = member->Next()) {
    WriteMember(document, *member, seen, sink);
  }
  if (!seen.tenant && !document.tenant.empty()) sink.String("tenant_id", document.tenant);
  if (!seen.asset && !document.asset.empty()) sink.String("asset_id", document.asset);
  if (!seen.time) sink.Time("timestamp", document.time);
  if (!seen.processed && document.processed_at) {
    const auto since_epoch = document.processed_at->time_since_epoch();
    sink.Double("processed_at", static_cast<double>(since_epoch.count()) / 1000);
  }
  for (const Attachment& attachment : document.attachments)
    sink.Json(attachment.name, attachment.value->root());
  WriteProvenance(document, sink);
}

}  // namespace tidegate::reader
