#include "reader/database/projection_document.h"

#include <utility>

namespace tidegate::reader {

namespace {
const Object kNothing;

const Object& ChildOf(const Object& object, std::string_view name) {
  const Value* value = object.Find(name);
  const auto* child = value ? std::get_if<Object>(&value->is) : nullptr;
  return child ? *child : kNothing;
}

std::optional<LetterPlace> ReadLetterPlace(const Object& origin) {
  if (!origin.Find("replay")) return std::nullopt;
  return LetterPlace{.replay = std::string(origin.Text("replay")),
                     .partition = std::string(origin.Text("dead_letter")),
                     .offset = origin.Integer("dead_letter_offset")};
}
}  // namespace

Object StoredForm(const Projection& projection) {
  Object stored;
  stored["_id"].is = projection.key.id;
  for (const auto& member : projection.members.members()) stored.members().push_back(member);
  Object& bookkeeping = stored.Child("tidegate");
  bookkeeping["revision"].is = projection.revision + 1;
  Object& folded = bookkeeping.Child("folded");
  for (const auto& [partition, offset] : projection.folded) folded[partition].is = offset;
  if (!projection.state.members().empty()) bookkeeping["state"].is = projection.state;
  if (projection.expires_at) bookkeeping["expires_at"].is = *projection.expires_at;
  return stored;
}

Projection ReadProjection(DocumentKey key, Object stored) {
  Projection projection{.key = std::move(key)};
  const Object& bookkeeping = ChildOf(stored, "tidegate");
  projection.revision = bookkeeping.Integer("revision");
  const Object& folded = ChildOf(bookkeeping, "folded");
  for (const auto& [partition, offset] : folded.members())
    projection.folded[partition] = folded.Integer(partition);
  projection.state = ChildOf(bookkeeping, "state");
  projection.expires_at = bookkeeping.Time("expires_at");
  for (auto& [name, value] : stored.members()) {
    if (name != "_id" && name != "tidegate")
      projection.members.members().emplace_back(name, std::move(value));
  }
  return projection;
}

std::optional<Landed> ReadLanded(const Object& stored) {
  const Object& origin = ChildOf(stored, "tidegate");
  if (!origin.Find("offset")) return std::nullopt;
  return Landed{.topic = std::string(origin.Text("topic")),
                .partition = static_cast<int32_t>(origin.Integer("partition")),
                .offset = origin.Integer("offset"),
                .time = stored.Time("timestamp").value_or(WallTime()),
                .dead_letter = ReadLetterPlace(origin),
                .received_at = origin.Time("received_at").value_or(WallTime()),
                .epoch = origin.Integer("epoch")};
}

}  // namespace tidegate::reader
