#include <algorithm>
#include <array>
#include <tuple>

#include "reader/project/fold.h"

namespace tidegate::reader {

namespace {
// The registry shows people the last document of each asset, within these limits.
constexpr size_t kMaxMembers = 32;
constexpr size_t kMaxMemberText = 256;
// Bytes of the text of an array or object.
constexpr size_t kMaxContainer = 1'024;
// Bytes of the text of all members together.
constexpr size_t kMaxBytes = 4'096;

// `_id` and `tidegate` belong to the landing; no message has them.
constexpr std::array<std::string_view, 10> kLeftOut{
    "tenant_id", "asset_id", "device_id", "machine_id", "sensor_id",
    "timestamp", "ts",       "stream",    "_id",        "tidegate"};

size_t BytesOf(json::Value value) {
  if (value.is_string()) return value.as_string().size();
  if (value.is_number()) return value.number_text().size();
  return value.is_object() || value.is_array() ? value.source_bytes() : 4;
}

bool IsShort(json::Value value) {
  return BytesOf(value) <= (value.is_object() || value.is_array() ? kMaxContainer : kMaxMemberText);
}

Object Summary(const Event& event) {
  Object last;
  last["stream"].is = event.document->stream->name;
  last["timestamp"].is = event.document->time;
  size_t bytes = 0;
  for (auto member = event.document->value.root().First(); member; member = member->Next()) {
    if (std::ranges::count(kLeftOut, member->key()) > 0 || !IsShort(*member)) continue;
    bytes += member->key().size() + BytesOf(*member);
    if (bytes > kMaxBytes || last.members().size() >= kMaxMembers) break;
    last.members().emplace_back(member->key(), ToValue(*member));
  }
  return last;
}

// Decides between two documents of the same time in the same way, whichever is folded first.
bool IsNewest(const Event& event, const Projection& asset) {
  const auto seen = asset.members.Time("last_seen");
  if (!seen) return true;
  return std::tuple(BoundedTime(*event.document), std::string_view(event.partition), event.offset) >
         std::tuple(*seen, asset.state.Text("partition"), asset.state.Integer("offset"));
}

void FoldAsset(const Event& event, Projection& asset) {
  Object& members = asset.members;
  const WallTime time = BoundedTime(*event.document);
  const bool newest = IsNewest(event, asset);
  NameAsset(event.document->tenant, event.document->asset, members);
  members["first_seen"].is = std::min(members.Time("first_seen").value_or(time), time);
  members["last_seen"].is = std::max(members.Time("last_seen").value_or(time), time);
  members["documents"].is = members.Integer("documents") + 1;
  if (!newest) return;
  members["last"].is = Summary(event);
  asset.state["partition"].is = event.partition;
  asset.state["offset"].is = event.offset;
}
}  // namespace

void FoldAsset(const Event& event, Effects& effects) {
  effects.changes.push_back({{{event.document->ns.database, "assets"}, AssetId(*event.document)},
                             [&event](Projection& asset) { FoldAsset(event, asset); }});
}

}  // namespace tidegate::reader
