#include "agent/pipeline/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include "agent/pipeline/tags.h"
#include "core/json/key_set.h"
#include "core/rules/rules.h"
#include "core/time_format.h"

namespace tidegate {

namespace {

using json::Value;

constexpr std::array<std::string_view, 4> kAssetNames{"asset_id", "device_id", "machine_id",
                                                      "sensor_id"};
constexpr std::array<std::string_view, 2> kTimeNames{"timestamp", "ts"};

// Names and a time that a value has even if its payload does not.
constexpr size_t kAddedNames =
    std::string_view(R"("tenant_id":"","asset_id":"","timestamp":"2026-01-01T00:00:00.000Z",)")
        .size() +
    std::string_view(R"("additional_data":{},)").size();

Error Refused(std::string reason) {
  return Error{ErrorCode::kRejected, std::move(reason)};
}

// The members of one source object that have a place of their own in the value; all others go into
// additional_data.
struct KnownMembers {
  std::optional<Value> event_id, tenant, asset, time, latitude, longitude, location;
  std::optional<Value> driver_id, driver_name, status, additional;
  bool asset_is_alias = false;

  bool Holds(Value member) const {
    const char* const key = member.key().data();
    const auto is = [key](const std::optional<Value>& known) {
      return known && known->key().data() == key;
    };
    return is(event_id) || is(tenant) || is(asset) || is(time) || is(location) || is(driver_id) ||
           is(driver_name) || is(status) || is(additional) ||
           (!location && (is(latitude) || is(longitude)));
  }
};

std::optional<Value> FindText(Value object, std::string_view name) {
  auto member = object.Find(name);
  return member && member->is_string() ? member : std::nullopt;
}

// Ids are text; a device that sends a number means its digits.
std::optional<Value> FindId(Value object, std::string_view name) {
  auto member = object.Find(name);
  return member && (member->is_string() || member->is_number()) ? member : std::nullopt;
}

std::string_view IdText(Value value) {
  return value.is_string() ? value.as_string() : value.number_text();
}

std::optional<std::string_view> IdTextOf(const std::optional<Value>& value) {
  return value ? std::optional(IdText(*value)) : std::nullopt;
}

bool InRange(const std::optional<Value>& value, double bound) {
  return value && value->is_number() && std::abs(value->as_number()) <= bound;
}

void FindPosition(Value object, KnownMembers& members) {
  const auto take = [&](std::optional<Value> latitude, std::optional<Value> longitude) {
    if (!InRange(latitude, 90) || !InRange(longitude, 180)) return false;
    members.latitude = latitude;
    members.longitude = longitude;
    return true;
  };
  const auto location = object.Find("location");
  if (location && location->is_object() &&
      take(location->Find("latitude"), location->Find("longitude"))) {
    members.location = location;
  } else {
    take(object.Find("lat"), object.Find("lon"));
  }
}

KnownMembers FindMembers(Value object) {
  KnownMembers members;
  members.event_id = FindId(object, "event_id");
  members.tenant = FindText(object, "tenant_id");
  for (size_t i = 0; i < kAssetNames.size() && !members.asset; ++i) {
    members.asset = FindId(object, kAssetNames[i]);
    members.asset_is_alias = i > 0;
  }
  for (std::string_view name : kTimeNames) {
    if (!members.time) members.time = object.Find(name);
  }
  FindPosition(object, members);
  members.driver_id = FindText(object, "driver_id");
  members.driver_name = FindText(object, "driver_name");
  members.status = FindText(object, "status");
  members.additional = object.Find("additional_data");
  if (members.additional && !members.additional->is_object()) members.additional.reset();
  return members;
}

Status DecideTime(const KnownMembers& members, const DecodeContext& context, Record& record) {
  record.time = context.arrival;
  record.time_source = TimeSource::kGateway;
  if (!members.time || members.time->type() == json::Type::kNull) return {};
  std::optional<WallTime> time;
  if (members.time->is_string()) time = ParseTime(members.time->as_string());
  if (members.time->is_number()) time = TimeFromEpoch(members.time->as_number());
  if (!time) {
    return Refused(
        fmt::format("{} is neither an ISO 8601 time nor a Unix time", members.time->key()));
  }
  record.time = *time;
  record.time_source = TimeSource::kSource;
  return {};
}

void WriteText(json::Writer& writer, std::string_view key, const std::optional<Value>& text) {
  if (!text) return;
  writer.Key(key);
  if (text->is_string()) {
    writer.Copy(*text);
  } else {
    writer.String(IdText(*text));
  }
}

void WriteLocation(json::Writer& writer, const KnownMembers& members) {
  if (!members.latitude) return;
  writer.Key("location");
  writer.BeginObject();
  writer.Key("latitude");
  writer.Number(members.latitude->number_text());
  writer.Key("longitude");
  writer.Number(members.longitude->number_text());
  for (auto extra = members.location ? members.location->First() : std::nullopt; extra;
       extra = extra->Next()) {
    if (extra->key() != "latitude" && extra->key() != "longitude") writer.Member(*extra);
  }
  writer.EndObject();
}

Status WriteAdditional(json::Writer& writer, Value object, const KnownMembers& members) {
  bool open = false;
  const auto write = [&](Value member) {
    if (!open) {
      writer.Key("additional_data");
      writer.BeginObject();
      open = true;
    }
    writer.Member(member);
  };
  json::KeySet additional;
  if (members.additional) {
    for (auto member = members.additional->First(); member; member = member->Next()) {
      additional.Insert(member->key());
      write(*member);
    }
  }
  for (auto member = object.First(); member; member = member->Next()) {
    if (members.Holds(*member)) continue;
    if (additional.Contains(member->key())) {
      return Refused(
          fmt::format("{} is in the record and in its additional_data", ShownName(member->key())));
    }
    write(*member);
  }
  if (open) writer.EndObject();
  return {};
}

Status WriteValue(Value object, const KnownMembers& members, Record& record) {
  record.value.reserve(object.source_bytes() + record.tenant.size() + record.asset.size() +
                       kAddedNames);
  json::Writer writer(record.value);
  writer.BeginObject();
  WriteText(writer, "event_id", members.event_id);
  writer.Key("tenant_id");
  writer.String(record.tenant);
  writer.Key("asset_id");
  writer.String(record.asset);
  WriteText(writer, "driver_id", members.driver_id);
  WriteText(writer, "driver_name", members.driver_name);
  writer.Key("timestamp");
  writer.String(FormatTime(record.time));
  WriteLocation(writer, members);
  WriteText(writer, "status", members.status);
  if (Status status = WriteAdditional(writer, object, members); !status.ok()) return status;
  writer.EndObject();
  return {};
}

Status DecodeObject(Value object, const DecodeContext& context, DecodeSink& sink) {
  if (!object.is_object()) return Refused("not a JSON object");
  KnownMembers members = FindMembers(object);
  Record record;
  record.record_class = context.record_class;
  record.clock_synced = context.clock_synced;
  const auto tenant = DecideTenant(IdTextOf(members.tenant), context);
  if (!tenant.ok()) return tenant.error();
  const auto own_asset = IdTextOf(members.asset);
  const auto asset = DecideAsset(own_asset, members.asset_is_alias, context);
  if (!asset.ok()) return asset.error();
  // An alias that names a detail of the asset stays as data.
  if (!context.topic_asset.empty() && own_asset != *asset) members.asset.reset();
  record.tenant = *tenant;
  record.asset = *asset;
  if (Status status = DecideTime(members, context, record); !status.ok()) return status;
  if (Status status = WriteValue(object, members, record); !status.ok()) return status;
  const DecodedRecord decoded(record, object, members.latitude, members.longitude);
  sink.OnRecord(std::move(record), decoded);
  return {};
}

}  // namespace

std::optional<Value> DecodedRecord::Field(std::string_view name) const {
  if (latitude_ && name == "location.latitude") return latitude_;
  if (longitude_ && name == "location.longitude") return longitude_;
  return FoundInSource(name) ? FindField(*source_, name) : FieldOfValue(name);
}

// False for members that the value holds under another name, in another place or as another type.
// A name with a dot may find another member in the value, where the source's own members are next
// to those of its additional_data.
bool DecodedRecord::FoundInSource(std::string_view name) const {
  constexpr std::array<std::string_view, 12> kMoved{
      "event_id",  "tenant_id", "asset_id", "device_id", "machine_id", "sensor_id",
      "timestamp", "ts",        "lat",      "lon",       "location",   "additional_data"};
  if (!source_) return false;
  const size_t dot = name.find('.');
  if (std::ranges::find(kMoved, name.substr(0, dot)) != kMoved.end()) return false;
  return dot == std::string_view::npos || !source_->Find("additional_data");
}

std::optional<Value> DecodedRecord::FieldOfValue(std::string_view name) const {
  if (!value_) {
    // The payload was within the limits; these only have to end the parsing.
    constexpr json::Limits kOwn{.max_bytes = SIZE_MAX, .max_depth = 64, .max_values = SIZE_MAX};
    auto parsed = json::Document::Parse(record_.value, kOwn);
    if (!parsed.ok()) return std::nullopt;
    value_ = std::move(parsed).value();
  }
  return FindField(value_->root(), name);
}

void Decode(std::string_view payload, const DecodeContext& context, const json::Limits& limits,
            DecodeSink& sink) {
  if (Status tags = CheckTags(context); !tags.ok())
    return sink.OnRefused(payload, tags.error().message);
  const auto document = json::Document::Parse(payload, limits);
  if (!document.ok()) return sink.OnRefused(payload, document.error().message);
  const Value root = document->root();
  if (!root.is_array()) {
    if (Status status = DecodeObject(root, context, sink); !status.ok())
      sink.OnRefused(payload, status.error().message);
    return;
  }
  if (!root.First()) return sink.OnRefused(payload, "an empty array");
  size_t index = 0;
  for (auto element = root.First(); element; element = element->Next(), ++index) {
    Status status = DecodeObject(*element, context, sink);
    if (status.ok()) continue;
    std::string text;
    json::Writer(text).Copy(*element);
    sink.OnRefused(text, fmt::format("element {}: {}", index, status.error().message));
  }
}

}  // namespace tidegate
