#include "reader/database/mongo/mongo_projections.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

#include "reader/database/mongo/bson_json.h"
#include "reader/database/mongo/mongo_client.h"
#include "reader/database/mongo/mongo_save.h"
#include "reader/database/mongo/mongo_value.h"
#include "reader/database/projection_document.h"

namespace tidegate::reader {

namespace {
// How many `_id`s one find names. A server may compare all of them with each document that it
// finds.
constexpr size_t kKeysPerQuery = 100;
constexpr uint32_t kNamespaceNotFound = 26;

class MongoProjections final : public ProjectionStore {
 public:
  explicit MongoProjections(ClientHandle client) : client_(std::move(client)) {}

  Result<std::vector<Projection>> Load(std::span<const DocumentKey> keys) override;
  Result<std::vector<SaveOutcome>> Save(std::span<const Projection> projections) override;
  Result<std::vector<std::optional<Landed>>> FindLanded(std::span<const DocumentKey> keys) override;
  Status EachLanded(const Namespace& ns, const TakeLanded& take) override;
  Status Clear(const Namespace& ns) override;
  Result<Offsets> ReadPositions(const std::string& database,
                                std::span<const std::string> partitions) override;
  Status WritePositions(const std::string& database, const Offsets& next, WallTime now) override;

 private:
  using Found = std::function<void(size_t position, Object document)>;

  // Calls `found` for each key that has a document. `options` are those of the find command.
  Status FindAll(std::span<const DocumentKey> keys, const bson_t* options, const Found& found);
  Status FindSome(const Namespace& ns, std::span<const DocumentKey> keys,
                  std::span<const size_t> positions, const bson_t* options, const Found& found);

  ClientHandle client_;
};

Status MongoProjections::FindAll(std::span<const DocumentKey> keys, const bson_t* options,
                                 const Found& found) {
  for (const auto& [ns, positions] : ByNamespace(keys, &DocumentKey::ns)) {
    for (size_t first = 0; first < positions.size(); first += kKeysPerQuery) {
      const size_t count = std::min(kKeysPerQuery, positions.size() - first);
      Status status =
          FindSome(ns, keys, std::span(positions).subspan(first, count), options, found);
      if (!status.ok()) return status;
    }
  }
  return {};
}

Status MongoProjections::FindSome(const Namespace& ns, std::span<const DocumentKey> keys,
                                  std::span<const size_t> positions, const bson_t* options,
                                  const Found& found) {
  std::unordered_map<std::string_view, size_t> position_of;
  Bson filter;
  bson_t condition;
  bson_t ids;
  BSON_APPEND_DOCUMENT_BEGIN(filter.get(), "_id", &condition);
  BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &ids);
  for (size_t i = 0; i < positions.size(); ++i) {
    const std::string& id = keys[positions[i]].id;
    position_of[id] = positions[i];
    bson_append_utf8(&ids, fmt::format_int(i).c_str(), -1, id.data(), static_cast<int>(id.size()));
  }
  bson_append_array_end(&condition, &ids);
  bson_append_document_end(filter.get(), &condition);

  const CollectionHandle collection = CollectionOf(client_.get(), ns);
  const CursorHandle cursor(
      mongoc_collection_find_with_opts(collection.get(), filter.get(), options, nullptr));
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    bson_iter_t id;
    if (!bson_iter_init_find(&id, document, "_id") || !BSON_ITER_HOLDS_UTF8(&id)) continue;
    uint32_t length = 0;
    const char* text = bson_iter_utf8(&id, &length);
    const auto position = position_of.find(std::string_view(text, length));
    bson_iter_t members;
    if (position != position_of.end() && bson_iter_init(&members, document))
      found(position->second, ReadObject(members));
  }
  bson_error_t error{};
  if (!mongoc_cursor_error(cursor.get(), &error)) return {};
  return MongoError(fmt::format("find in {}.{}", ns.database, ns.collection), error);
}

Result<std::vector<Projection>> MongoProjections::Load(std::span<const DocumentKey> keys) {
  std::vector<Projection> projections(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) projections[i].key = keys[i];
  const Status status = FindAll(keys, nullptr, [&](size_t position, Object document) {
    projections[position] = ReadProjection(keys[position], std::move(document));
  });
  if (!status.ok()) return status.error();
  return projections;
}

Result<std::vector<std::optional<Landed>>> MongoProjections::FindLanded(
    std::span<const DocumentKey> keys) {
  Bson options;
  bson_t members;
  BSON_APPEND_DOCUMENT_BEGIN(options.get(), "projection", &members);
  BSON_APPEND_INT32(&members, "timestamp", 1);
  BSON_APPEND_INT32(&members, "tidegate", 1);
  bson_append_document_end(options.get(), &members);
  std::vector<std::optional<Landed>> landed(keys.size());
  const Status status = FindAll(keys, options.get(), [&](size_t position, const Object& document) {
    landed[position] = ReadLanded(document);
  });
  if (!status.ok()) return status.error();
  return landed;
}

Status MongoProjections::EachLanded(const Namespace& ns, const TakeLanded& take) {
  Bson filter;
  Bson options;
  bson_t order;
  BSON_APPEND_DOCUMENT_BEGIN(options.get(), "sort", &order);
  for (const char* member : {"tidegate.topic", "tidegate.partition", "tidegate.offset"})
    BSON_APPEND_INT32(&order, member, 1);
  bson_append_document_end(options.get(), &order);
  BSON_APPEND_BOOL(options.get(), "allowDiskUse", true);
  const CollectionHandle collection = CollectionOf(client_.get(), ns);
  const CursorHandle cursor(
      mongoc_collection_find_with_opts(collection.get(), filter.get(), options.get(), nullptr));
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    if (Status status = take(BsonToJson(document)); !status.ok()) return status;
  }
  bson_error_t error{};
  if (!mongoc_cursor_error(cursor.get(), &error)) return {};
  return MongoError(fmt::format("read {}.{}", ns.database, ns.collection), error);
}

Status MongoProjections::Clear(const Namespace& ns) {
  const CollectionHandle collection = CollectionOf(client_.get(), ns);
  bson_error_t error{};
  // Some servers report no code.
  if (mongoc_collection_drop(collection.get(), &error) || error.code == kNamespaceNotFound ||
      std::string_view(error.message) == "ns not found")
    return {};
  return MongoError(fmt::format("clear {}.{}", ns.database, ns.collection), error);
}

Result<std::vector<SaveOutcome>> MongoProjections::Save(std::span<const Projection> projections) {
  return SaveProjections(client_.get(), projections);
}

Result<Offsets> MongoProjections::ReadPositions(const std::string& database,
                                                std::span<const std::string> partitions) {
  std::vector<DocumentKey> keys;
  for (const std::string& partition : partitions)
    keys.push_back({{database, kPositions}, partition});
  Offsets positions;
  const Status status = FindAll(keys, nullptr, [&](size_t position, const Object& document) {
    positions[partitions[position]] = document.Integer("next_offset");
  });
  if (!status.ok()) return status.error();
  return positions;
}

Status MongoProjections::WritePositions(const std::string& database, const Offsets& next,
                                        WallTime now) {
  if (next.empty()) return {};
  const CollectionHandle collection = CollectionOf(client_.get(), {database, kPositions});
  Bson unordered;
  BSON_APPEND_BOOL(unordered.get(), "ordered", false);
  const BulkHandle bulk(
      mongoc_collection_create_bulk_operation_with_opts(collection.get(), unordered.get()));
  Bson upsert;
  BSON_APPEND_BOOL(upsert.get(), "upsert", true);
  bson_error_t error{};
  for (const auto& [partition, offset] : next) {
    Bson selector;
    BSON_APPEND_UTF8(selector.get(), "_id", partition.c_str());
    Bson update;
    bson_t change;
    BSON_APPEND_DOCUMENT_BEGIN(update.get(), "$max", &change);
    BSON_APPEND_INT64(&change, "next_offset", offset);
    BSON_APPEND_DATE_TIME(&change, "updated_at", now.time_since_epoch().count());
    bson_append_document_end(update.get(), &change);
    if (!mongoc_bulk_operation_update_one_with_opts(bulk.get(), selector.get(), update.get(),
                                                    upsert.get(), &error))
      return MongoError("write a position", error);
  }
  if (mongoc_bulk_operation_execute(bulk.get(), nullptr, &error)) return {};
  return MongoError("write positions", error);
}
}  // namespace

std::unique_ptr<ProjectionStore> MakeMongoProjections(ClientHandle client) {
  return std::make_unique<MongoProjections>(std::move(client));
}

}  // namespace tidegate::reader
