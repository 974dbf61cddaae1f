#include "reader/decode/decoder.h"

#include <fmt/format.h>

#include <array>

#include "core/check.h"
#include "core/rules/rules.h"
#include "core/wire/wire_message.h"
#include "reader/decode/message_fields.h"

namespace tidegate::reader {

namespace {
constexpr std::array<std::string_view, 2> kReservedMembers{"_id", "tidegate"};

constexpr std::string_view kRecordRule = "event_id";
constexpr std::string_view kOffsetRule = "offset";

bool KnowsNoTenants(StreamKind kind) {
  return kind == StreamKind::kReading || kind == StreamKind::kMachine || kind == StreamKind::kSales;
}

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

std::string OffsetId(const SourceMessage& message) {
  return fmt::format("{}/{}/{}", message.partition.topic, message.partition.number, message.offset);
}

// Names a document by what its tenant does not choose: the gateway's count, or the place in Kafka.
// Where tenants share a database, the id begins with the tenant, so that no tenant can take the id
// of another's record. Ids of the other rules begin with it anyway.
std::string IdOfTenant(std::string id, const Document& document, Tenancy tenancy) {
  return tenancy == Tenancy::kShared ? document.tenant + "/" + id : id;
}

// Names the record by the rules of FORMAT.md. Two sales may be equal in every member, so only an
// event_id can prove that they are one.
std::string RecordId(const SourceMessage& message, const WireInfo& info, StreamKind kind,
                     const std::optional<WallTime>& time, Tenancy tenancy, Document& document) {
  const json::Value root = document.value.root();
  if (info.record_class.value_or(RecordClassOf(kind)) == RecordClass::kAlert) {
    if (auto id = AlertIdOf(root, document)) return *id;
  }
  const auto event = root.Find("event_id");
  const bool named_by_time = info.time_source == TimeSource::kSource && kind != StreamKind::kSales;
  const std::string event_id = event ? IdText(*event).value_or("") : "";
  if (event_id.empty() && !(named_by_time && time)) {
    document.named_by_place = info.id.empty();
    return IdOfTenant(info.id.empty() ? OffsetId(message) : info.id, document, tenancy);
  }
  return DocumentId({.tenant = document.tenant,
                     .asset = document.asset,
                     .event_id = event_id,
                     .source_time = named_by_time ? time : std::nullopt,
                     .sequence_id = {},
                     .value = *message.value});
}

// Sets the document's id by the stream's own rule.
std::optional<Refusal> ReadId(const SourceMessage& message, const WireInfo& info,
                              const Stream& stream, const std::optional<WallTime>& time,
                              Tenancy tenancy, Document& document) {
  if (stream.id == kRecordRule) {
    document.id = RecordId(message, info, stream.kind, time, tenancy, document);
  } else if (stream.id == kOffsetRule) {
    document.id = IdOfTenant(OffsetId(message), document, tenancy);
    document.named_by_place = true;
  } else {
    const auto member = FindField(document.value.root(), stream.id);
    const std::string text = member ? IdText(*member).value_or("") : "";
    if (text.empty()) return MemberRefusal(stream.id, "names no document");
    document.id = DocumentId({.tenant = document.tenant,
                              .asset = document.asset,
                              .event_id = text,
                              .source_time = {},
                              .sequence_id = {},
                              .value = {}});
  }
  return std::nullopt;
}

Provenance ProvenanceOf(const SourceMessage& message, WireInfo info, bool has_time, WallTime now) {
  Provenance provenance;
  provenance.gateway = std::move(info.gateway);
  provenance.sequence_id = std::move(info.id);
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

std::optional<Refusal> CheckMembers(json::Value root, const Stream& stream) {
  for (std::string_view name : kReservedMembers) {
    if (root.Find(name)) return MemberRefusal(name, "is the landing's own name");
  }
  for (const std::string& name : stream.required) {
    const auto member = FindField(root, name);
    const bool empty = !member || member->type() == json::Type::kNull ||
                       (member->is_string() && member->as_string().empty());
    if (empty) return MemberRefusal(name, "is missing");
  }
  return std::nullopt;
}

std::optional<Refusal> CheckVersion(json::Value root, const Stream& stream, uint32_t& version) {
  if (auto refusal = ReadSchemaVersion(root, version)) return refusal;
  if (version <= stream.version) return std::nullopt;
  return Refusal{RefusalKind::kSchema,
                 fmt::format("schema_version {} is newer than {}, the newest that {} takes",
                             version, stream.version, stream.name)};
}

// Sets what the document has from its own members, and `time` if it has one.
std::optional<Refusal> ReadMembers(const Stream& stream, Document& document,
                                   std::optional<WallTime>& time) {
  const json::Value root = document.value.root();
  auto refusal = CheckVersion(root, stream, document.provenance.schema);
  if (!refusal) refusal = CheckMembers(root, stream);
  if (!refusal) refusal = ReadAsset(root, document.asset);
  if (!refusal && document.asset.empty() && stream.kind != StreamKind::kSales)
    refusal = MemberRefusal("asset_id", "is missing");
  if (!refusal) refusal = ReadTime(root, time);
  std::optional<bool> failed;
  if (!refusal && stream.kind == StreamKind::kMachine) refusal = ReadFailure(root, failed);
  return refusal;
}

std::variant<WireInfo, Refusal> ReadHeaders(const SourceMessage& message) {
  if (const auto schema = NewerSchema(message.headers)) {
    return Refusal{RefusalKind::kSchema,
                   fmt::format("{} {} is newer than {}, the newest known here", kHeaderSchema,
                               *schema, kSchemaVersion)};
  }
  Result<WireInfo> info = DecodeHeaders(message.headers);
  if (!info.ok()) return Refusal{RefusalKind::kHeaders, info.error().message};
  // Anyone who may write to the topic may forge it; such a record is named by its place instead.
  if (!IsSequenceId(info->id)) info->id.clear();
  return std::move(info).value();
}

std::variant<json::Document, Refusal> ParseValue(const Stream& stream, std::string_view value,
                                                 const json::Limits& limits) {
  std::string text;
  if (stream.format == StreamFormat::kProtobuf) {
    CHECK(stream.schema, "a protobuf stream in a table has its schema");
    Result<std::string> json = stream.schema->ToJson(value, limits, stream.refuse_unknown);
    if (!json.ok()) return Refusal{RefusalKind::kProtobuf, json.error().message};
    text = std::move(json).value();
    value = text;
  }
  Result<json::Document> parsed = json::Document::Parse(value, limits);
  if (!parsed.ok()) return Refusal{RefusalKind::kJson, parsed.error().message};
  if (!parsed->root().is_object()) return Refusal{RefusalKind::kJson, "the value is not an object"};
  return std::move(parsed).value();
}
}  // namespace

std::variant<Document, Refusal> Decoder::Decode(const SourceMessage& message, WallTime now) const {
  const auto match = streams_.Find(message.partition.topic);
  if (!match) return Refusal{RefusalKind::kHeaders, "no stream follows its topic"};
  auto headers = ReadHeaders(message);
  if (auto* refusal = std::get_if<Refusal>(&headers)) return std::move(*refusal);
  WireInfo& info = std::get<WireInfo>(headers);
  if (!message.value) return Refusal{RefusalKind::kJson, "the message has no value"};
  const Stream& stream = *match->stream;
  auto parsed = ParseValue(stream, *message.value, options_.limits);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);

  Document document{.stream = &stream, .value = std::get<json::Document>(std::move(parsed))};
  std::optional<WallTime> time;
  auto refusal = ReadMembers(stream, document, time);
  const auto tenants = tenants_->Get();
  if (!refusal) refusal = Place(*match, document.value.root(), *tenants, document);
  if (!refusal) refusal = ReadId(message, info, stream, time, options_.tenancy, document);
  if (refusal) return *std::move(refusal);
  document.time = time.value_or(message.timestamp.value_or(now));
  const uint32_t schema = document.provenance.schema;
  document.provenance = ProvenanceOf(message, std::move(info), time.has_value(), now);
  document.provenance.schema = schema;
  // Retention counts from the landing, not from the document's own time: records of a device with a
  // wrong clock would be removed as they come.
  if (const auto kept = tenants->retention.For(document.tenant))
    document.provenance.expires_at = now + *kept;
  if (stream.kind == StreamKind::kSales) document.processed_at = now;
  return document;
}

std::optional<Refusal> Decoder::Place(const StreamTable::Match& match, json::Value root,
                                      const Tenants& tenants, Document& document) const {
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
    // Plain devices know no tenants; where tenants are separated or checked, such a reading is
    // refused.
    const bool may_lack = KnowsNoTenants(match.stream->kind) &&
                          options_.tenancy == Tenancy::kShared && tenants.allowed.empty();
    return may_lack ? std::nullopt : std::optional(refuse("the message names no tenant"));
  }
  if (!IsTenantName(tenant))
    return refuse("the tenant's name has other characters than A-Z a-z 0-9 . _ - or over 64");
  if (!tenants.MayLand(tenant)) return refuse(fmt::format("'{}' is not an allowed tenant", tenant));
  document.tenant = tenant;
  if (options_.tenancy == Tenancy::kDatabase) {
    DatabaseName database = DatabaseForTenant(options_.database, tenant);
    if (database.hashed && tenants.allowed.empty()) {
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
    const auto tenants = tenants_->Get();
    for (const std::string& tenant : tenants->allowed) {
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

Layout Decoder::layout() const {
  Layout layout{.database = options_.database, .tenancy = options_.tenancy, .collections = {}};
  for (const auto& [ns, stream] : KnownNamespaces())
    layout.collections.push_back({ns, IndexesOf(*stream)});
  return layout;
}

}  // namespace tidegate::reader
