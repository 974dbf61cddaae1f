#include "reader/database/mongo/mongo_save.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reader/database/mongo/mongo_bson.h"
#include "reader/database/mongo/mongo_client.h"
#include "reader/database/mongo/mongo_reply.h"
#include "reader/database/mongo/mongo_value.h"
#include "reader/database/projection_document.h"

namespace tidegate::reader {

namespace {
// Every server accepts that many in one command.
constexpr size_t kSavesPerBulk = 1'000;

int64_t Figure(const bson_t* reply, const char* name) {
  bson_iter_t found;
  return bson_iter_init_find(&found, reply, name) ? bson_iter_as_int64(&found) : 0;
}

// A call of Save: the projections of one namespace, and the outcomes of all.
class Saving {
 public:
  Saving(mongoc_client_t* client, const Namespace& ns, std::span<const Projection> projections,
         std::vector<SaveOutcome>& outcomes)
      : ns_(ns),
        collection_(CollectionOf(client, ns)),
        projections_(projections),
        outcomes_(outcomes) {}

  Status Save(std::span<const size_t> positions);

 private:
  // Adds the replacement. False: it is too large for any server, and refused.
  Result<bool> Add(size_t position, mongoc_bulk_operation_t* bulk);
  Status Execute(std::span<const size_t> positions, mongoc_bulk_operation_t* bulk);
  // Saves them in two commands, after the whole was refused for one projection's sake.
  Status SaveHalves(std::span<const size_t> positions);
  // Returns how many of the positions have an outcome of their own.
  Result<size_t> ReadErrors(const bson_t* reply, std::span<const size_t> positions);

  const Namespace& ns_;
  const CollectionHandle collection_;
  const std::span<const Projection> projections_;
  std::vector<SaveOutcome>& outcomes_;
};

// Each projection is an update that selects the `_id` and the loaded revision, and for one that is
// not stored yet an upsert: if there is a document meanwhile, the server tries to insert a second
// one of that `_id` and reports 11000 with the update's index.
Result<bool> Saving::Add(size_t position, mongoc_bulk_operation_t* bulk) {
  const Projection& projection = projections_[position];
  Bson selector;
  BSON_APPEND_UTF8(selector.get(), "_id", projection.key.id.c_str());
  BSON_APPEND_INT64(selector.get(), "tidegate.revision", projection.revision);
  Bson document;
  AppendObject(StoredForm(projection), document.get());
  if (document.get()->len > kMaxBsonBytes) {
    outcomes_[position] = SaveOutcome::kRefused;
    return false;
  }
  Bson upsert;
  // One that was stored and is gone has expired or was erased: it must not return as it was.
  BSON_APPEND_BOOL(upsert.get(), "upsert", projection.revision == 0);
  BSON_APPEND_BOOL(upsert.get(), "validate", false);  // Partitions' names hold dots.
  bson_error_t error{};
  if (mongoc_bulk_operation_replace_one_with_opts(bulk, selector.get(), document.get(),
                                                  upsert.get(), &error))
    return true;
  return MongoError("save a projection", error);
}

Status Saving::Save(std::span<const size_t> positions) {
  Bson unordered;
  BSON_APPEND_BOOL(unordered.get(), "ordered", false);
  const BulkHandle bulk(
      mongoc_collection_create_bulk_operation_with_opts(collection_.get(), unordered.get()));
  std::vector<size_t> sent;
  for (const size_t position : positions) {
    const auto added = Add(position, bulk.get());
    if (!added.ok()) return added.error();
    if (*added) sent.push_back(position);
  }
  return sent.empty() ? Status() : Execute(sent, bulk.get());
}

Status Saving::Execute(std::span<const size_t> positions, mongoc_bulk_operation_t* bulk) {
  Bson reply;
  bson_destroy(reply.get());
  bson_error_t error{};
  const bool succeeded = mongoc_bulk_operation_execute(bulk, reply.get(), &error) != 0;
  const auto apart = ReadErrors(reply.get(), positions);
  if (!apart.ok()) return apart.error();
  if (!succeeded && *apart == 0)
    return BlamesDocument(error) ? SaveHalves(positions)
                                 : Status(MongoError("save projections", error));
  bson_iter_t found;
  bson_iter_t errors;
  if (bson_iter_init_find(&found, reply.get(), "writeConcernErrors") &&
      bson_iter_recurse(&found, &errors) && bson_iter_next(&errors))
    return Error{ErrorCode::kUnavailable, "save projections: not as durable as asked"};
  // If a server stopped at the first error, or counts differently, the rest is unknown.
  const auto saved =
      static_cast<size_t>(Figure(reply.get(), "nMatched") + Figure(reply.get(), "nUpserted"));
  if (saved + *apart == positions.size()) return {};
  for (const size_t position : positions) {
    if (outcomes_[position] == SaveOutcome::kSaved) outcomes_[position] = SaveOutcome::kConflict;
  }
  return {};
}

Status Saving::SaveHalves(std::span<const size_t> positions) {
  if (positions.size() == 1) {
    outcomes_[positions.front()] = SaveOutcome::kRefused;
    return {};
  }
  const size_t half = positions.size() / 2;
  if (Status status = Save(positions.first(half)); !status.ok()) return status;
  return Save(positions.subspan(half));
}

Result<size_t> Saving::ReadErrors(const bson_t* reply, std::span<const size_t> positions) {
  size_t count = 0;
  bson_iter_t found;
  bson_iter_t errors;
  if (!bson_iter_init_find(&found, reply, "writeErrors") || !bson_iter_recurse(&found, &errors))
    return count;
  for (; bson_iter_next(&errors); ++count) {
    const WriteError error = ReadWriteError(errors);
    const CodeClass kind = ClassifyCode(error.code);
    if (kind == CodeClass::kServer || kind == CodeClass::kConflict || error.index < 0 ||
        static_cast<size_t>(error.index) >= positions.size()) {
      return Error{ErrorCode::kUnavailable,
                   fmt::format("save projections in {}.{}: {} (code {})", ns_.database,
                               ns_.collection, error.message, error.code)};
    }
    const bool changed_meanwhile = kind == CodeClass::kDuplicate && !error.other_key;
    outcomes_[positions[static_cast<size_t>(error.index)]] =
        changed_meanwhile ? SaveOutcome::kConflict : SaveOutcome::kRefused;
  }
  return count;
}
}  // namespace

Result<std::vector<SaveOutcome>> SaveProjections(mongoc_client_t* client,
                                                 std::span<const Projection> projections) {
  std::vector<SaveOutcome> outcomes(projections.size(), SaveOutcome::kSaved);
  const auto groups = ByNamespace(projections, [](const auto& item) { return item.key.ns; });
  for (const auto& [ns, positions] : groups) {
    Saving saving(client, ns, projections, outcomes);
    for (size_t first = 0; first < positions.size(); first += kSavesPerBulk) {
      const size_t count = std::min(kSavesPerBulk, positions.size() - first);
      Status status = saving.Save(std::span(positions).subspan(first, count));
      if (!status.ok()) return status.error();
    }
  }
  return outcomes;
}

}  // namespace tidegate::reader
