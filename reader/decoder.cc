#include "reader/decoder.h"

#include <fmt/format.h>

#include <array>

#include "core/time_format.h"
#include "uplink/wire/wire_message.h"

namespace tidegate::reader {

namespace {
constexpr std::array<std::string_view, 4> kAssetMembers{"asset_id", "device_id", "machine_id",
                                                        "sensor_id"};
constexpr std::array<std::string_view, 2> kTimeMembers{"timestamp", "ts"};
constexpr std::array<std::string_view, 2> kReservedMembers{"_id", "tidegate"};

RecordClass RecordClassOf(StreamKind kind) {
  switch (kind) {
    case StreamKind::kHeartbeat:
      return RecordClass::kHeartbeat;
    case StreamKind::kAlert:
      return RecordClass::kAlert;
    case StreamKind::kGap:
      return RecordClass::kGap;
    default:
      return RecordClass::kReading;
  }
}

Refusal MemberRefusal(std::string_view member, std::string_view problem) {
  return {RefusalKind::kMember, fmt::format("{} {}", member, problem)};
}

// An id is text; devices also send whole numbers, which are kept as their digits.
std::optional<std::string> IdText(json::Value value) {
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_number() && value.number_text().find_first_of(".eE") == std::string_view::npos) {
    return std::string(value.number_text());
  }
  return std::nullopt;
}

std::optional<Refusal> ReadAsset(json::Value root, std::string& asset) {
  for (std::string_view name : kAssetMembers) {
    const auto member = root.Find(name);
    if (!member) continue;
    const auto text = IdText(*member);
    if (!text || !IsAssetName(*text)) return MemberRefusal(name, "is not the name of an asset");
    asset = *text;
    return std::nullopt;
  }
  return MemberRefusal("asset_id", "is missing");
}

std::optional<WallTime> TimeOf(json::Value value) {
  if (value.is_string()) return ParseTime(value.as_string());
  if (value.is_number()) return TimeFromEpoch(value.as_number());
  return std::nullopt;
}

// Sets the time that the value carries; leaves it alone if there is none.
std::optional<Refusal> ReadTime(json::Value root, std::optional<WallTime>& time) {
  for (std::string_view name : kTimeMembers) {
    const auto member = root.Find(name);
    if (!member) continue;
    time = TimeOf(*member);
    return time ? std::nullopt : std::optional(MemberRefusal(name, "is not a time"));
  }
  return std::nullopt;
}

std::optional<std::string> AlertIdOf(json::Value root, const Document& document) {
  const auto rule = root.Find("rule");
  const auto raised_at = root.Find("raised_at");
  const auto status = root.Find("status");
  if (!rule || !rule->is_string() || !raised_at || !status || !status->is_string())
    return std::nullopt;
  const auto time = TimeOf(*raised_at);
  if (!time) return std::nullopt;
  return AlertId({.tenant = document.tenant,
                  .asset = document.asset,
                  .rule = rule->as_string(),
                  .raised_at = *time,
                  .status = status->as_string()});
}

std::string IdOf(const SourceMessage& message, const WireInfo& info, RecordClass record_class,
                 const std::optional<WallTime>& time, const Document& document) {
  const json::Value root = document.value.root();
  if (record_class == RecordClass::kAlert) {
    if (auto id = AlertIdOf(root, document)) return *id;
  }
  const auto event = root.Find("event_id");
  const std::string event_id = event ? IdText(*event).value_or("") : "";
  const std::string sequence_id = info.id.empty()
                                      ? fmt::format("{}/{}/{}", message.partition.topic,
                                                    message.partition.number, message.offset)
                                      : info.id;
  return DocumentId({.tenant = document.tenant,
                     .asset = document.asset,
                     .event_id = event_id,
                     .source_time = info.time_source == TimeSource::kSource ? time : std::nullopt,
                     .sequence_id = sequence_id,
                     .value = *message.value});
}

Provenance ProvenanceOf(const SourceMessage& message, const WireInfo& info, bool has_time,
                        WallTime now) {
  Provenance provenance;
  provenance.gateway = info.gateway;
  provenance.sequence_id = info.id;
  provenance.time = !has_time                                 ? TimeOrigin::kBroker
                    : info.time_source == TimeSource::kSource ? TimeOrigin::kSource
                                                              : TimeOrigin::kGateway;
  provenance.clock_synced = info.clock_synced;
  provenance.restamped = info.restamped;
  provenance.replayed = info.replayed;
  provenance.topic = message.partition.topic;
  provenance.partition = message.partition.number;
  provenance.offset = message.offset;
  provenance.received_at = now;
  return provenance;
}

std::optional<Refusal> CheckReserved(json::Value root) {
  for (std::string_view name : kReservedMembers) {
    if (root.Find(name)) return MemberRefusal(name, "is the landing's own name");
  }
  return std::nullopt;
}
}  // namespace

std::variant<Document, Refusal> Decoder::Decode(const SourceMessage& message, WallTime now) const {
  const auto match = streams_.Find(message.partition.topic);
  if (!match) return Refusal{RefusalKind::kHeaders, "no stream follows its topic"};
  const Result<WireInfo> info = DecodeHeaders(message.headers);
  if (!info.ok()) return Refusal{RefusalKind::kHeaders, info.error().message};
  if (!message.value) return Refusal{RefusalKind::kJson, "the message has no value"};
  Result<json::Document> parsed = json::Document::Parse(*message.value, options_.limits);
  if (!parsed.ok()) return Refusal{RefusalKind::kJson, parsed.error().message};
  if (!parsed->root().is_object()) return Refusal{RefusalKind::kJson, "the value is not an object"};

  Document document{.value = std::move(parsed).value()};
  const json::Value root = document.value.root();
  std::optional<WallTime> time;
  auto refusal = CheckReserved(root);
  if (!refusal) refusal = ReadAsset(root, document.asset);
  if (!refusal) refusal = ReadTime(root, time);
  if (!refusal) refusal = Place(*match, root, document);
  if (refusal) return *std::move(refusal);
  document.time = time.value_or(message.timestamp.value_or(now));
  document.id =
      IdOf(message, *info, info->record_class.value_or(RecordClassOf(match->stream->kind)), time,
           document);
  document.provenance = ProvenanceOf(message, *info, time.has_value(), now);
  // From the landing on, not from the document's own time: a device with a wrong clock would have
  // its records removed as they come.
  if (const auto kept = options_.retention.For(document.tenant))
    document.provenance.expires_at = now + *kept;
  return document;
}

std::optional<Refusal> Decoder::Place(const StreamTable::Match& match, json::Value root,
                                      Document& document) const {
  const auto refuse = [](std::string text) {
    return Refusal{RefusalKind::kTenant, std::move(text)};
  };
  std::string_view tenant = match.tenant;
  if (const auto member = root.Find("tenant_id")) {
    if (!member->is_string()) return refuse("tenant_id is not text");
    if (!tenant.empty() && tenant != member->as_string()) {
      return refuse(fmt::format("tenant_id is not '{}', which the topic names", tenant));
    }
    tenant = member->as_string();
  } else if (tenant.empty()) {
    tenant = options_.tenant;
  }
  document.ns = {options_.database, match.stream->collection};
  if (tenant.empty()) {
    // Plain devices know no tenants; where tenants are kept apart or checked, such a reading has no
    // place.
    const bool may_lack = match.stream->kind == StreamKind::kReading &&
                          options_.tenancy == Tenancy::kShared && options_.tenants.empty();
    return may_lack ? std::nullopt : std::optional(refuse("the message names no tenant"));
  }
  if (!IsTenantName(tenant))
    return refuse("the tenant's name has other characters than A-Z a-z 0-9 . _ - or over 64");
  if (!options_.tenants.empty() && !options_.tenants.contains(tenant)) {
    return refuse(fmt::format("'{}' is not an allowed tenant", tenant));
  }
  document.tenant = tenant;
  if (options_.tenancy == Tenancy::kDatabase) {
    DatabaseName database = DatabaseForTenant(options_.database, tenant);
    if (database.hashed && options_.tenants.empty()) {
      return refuse(
          "the name is too long for a database of its own, unless it is on the allow list");
    }
    document.ns.database = std::move(database.name);
  }
  return std::nullopt;
}

std::vector<Index> Decoder::IndexesOf(const Stream& stream) const {
  std::vector<Index> indexes = IndexesFor(stream, options_.tenancy);
  if (expires()) indexes.push_back(ExpiryIndex());
  return indexes;
}

std::vector<std::pair<Namespace, const Stream*>> Decoder::KnownNamespaces() const {
  std::vector<std::string> databases;
  if (options_.tenancy == Tenancy::kShared) {
    databases.push_back(options_.database);
  } else {
    for (const std::string& tenant : options_.tenants) {
      databases.push_back(DatabaseForTenant(options_.database, tenant).name);
    }
  }
  std::vector<std::pair<Namespace, const Stream*>> known;
  for (const std::string& database : databases) {
    for (const Stream& stream : streams_.streams())
      known.push_back({{database, stream.collection}, &stream});
  }
  return known;
}

}  // namespace tidegate::reader
