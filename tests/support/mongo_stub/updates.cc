#include "tests/support/mongo_stub/updates.h"

#include <vector>

namespace tidegate::mongo_stub {

namespace {
enum class WriteOutcome { kMatched, kUpserted, kConflict, kNothing };

Bytes MemberOf(const bson_t& document, const char* name) {
  bson_iter_t member;
  return bson_iter_init_find(&member, &document, name) ? DocumentAt(member) : Bytes();
}

bool IsGreater(const bson_iter_t& a, const bson_iter_t& b) {
  if (BSON_ITER_HOLDS_DATE_TIME(&a) && BSON_ITER_HOLDS_DATE_TIME(&b))
    return bson_iter_date_time(&a) > bson_iter_date_time(&b);
  return bson_iter_as_int64(&a) > bson_iter_as_int64(&b);
}

// `old` with the members of `change` that are greater or new; `id` if `old` is empty.
std::string Maximum(Bytes old, const std::string& id, Bytes change) {
  Reply out;
  bson_t before;
  bson_t changes;
  bson_iter_t member;
  bson_iter_t other;
  View(change, &changes);
  if (old.empty()) {
    BSON_APPEND_UTF8(out.get(), "_id", id.c_str());
  } else if (View(old, &before) && bson_iter_init(&member, &before)) {
    while (bson_iter_next(&member)) {
      const char* name = bson_iter_key(&member);
      const bool changed = bson_iter_init_find(&other, &changes, name) && IsGreater(other, member);
      bson_append_iter(out.get(), name, -1, changed ? &other : &member);
    }
  }
  if (bson_iter_init(&member, &changes)) {
    while (bson_iter_next(&member)) {
      const char* name = bson_iter_key(&member);
      if (!bson_has_field(out.get(), name)) bson_append_iter(out.get(), name, -1, &member);
    }
  }
  return out.bytes();
}

// A replacement may leave its `_id` out.
std::string Replacement(const std::string& id, Bytes document) {
  bson_t view;
  if (View(document, &view) && bson_has_field(&view, "_id"))
    return {reinterpret_cast<const char*>(document.data()), document.size()};
  Reply out;
  BSON_APPEND_UTF8(out.get(), "_id", id.c_str());
  if (View(document, &view)) bson_concat(out.get(), &view);
  return out.bytes();
}

WriteOutcome UpdateOne(Bytes update, const std::string& ns, Collections& collections) {
  bson_t one;
  bson_t query;
  bson_t change;
  bson_iter_t found;
  if (!View(update, &one) || !View(MemberOf(one, "q"), &query) ||
      !View(MemberOf(one, "u"), &change) || !bson_iter_init_find(&found, &query, "_id") ||
      !BSON_ITER_HOLDS_UTF8(&found))
    return WriteOutcome::kNothing;
  const std::string id = bson_iter_utf8(&found, nullptr);
  const bool upsert = bson_iter_init_find(&found, &one, "upsert") && bson_iter_as_bool(&found);
  const Stored* old = collections.Get(ns, id);
  const bool matches = old && Matches(BytesOf(*old), MemberOf(one, "q"));
  if (!matches && !upsert) return WriteOutcome::kNothing;
  if (!matches && old) return WriteOutcome::kConflict;
  const Bytes maximum = MemberOf(change, "$max");
  collections.Put(ns, id,
                  maximum.empty() ? Replacement(id, MemberOf(one, "u"))
                                  : Maximum(old ? BytesOf(*old) : Bytes(), id, maximum));
  return matches ? WriteOutcome::kMatched : WriteOutcome::kUpserted;
}

void AppendIndexes(bson_t* reply, const char* name, const std::vector<size_t>& indexes,
                   bool errors) {
  if (indexes.empty()) return;
  bson_t list;
  bson_append_array_begin(reply, name, -1, &list);
  for (size_t i = 0; i < indexes.size(); ++i) {
    bson_t item;
    bson_append_document_begin(&list, std::to_string(i).c_str(), -1, &item);
    BSON_APPEND_INT32(&item, "index", static_cast<int32_t>(indexes[i]));
    if (errors) {
      BSON_APPEND_INT32(&item, "code", 11000);
      BSON_APPEND_UTF8(&item, "errmsg", "E11000 duplicate key error");
    } else {
      BSON_APPEND_INT32(&item, "_id", 0);
    }
    bson_append_document_end(&list, &item);
  }
  bson_append_array_end(reply, &list);
}
}  // namespace

void Update(const Request& request, const std::string& ns, Collections& collections,
            bson_t* reply) {
  std::vector<size_t> upserted;
  std::vector<size_t> conflicts;
  int32_t matched = 0;
  for (size_t i = 0; i < request.documents.size(); ++i) {
    switch (UpdateOne(request.documents[i], ns, collections)) {
      case WriteOutcome::kMatched:
        ++matched;
        break;
      case WriteOutcome::kUpserted:
        upserted.push_back(i);
        break;
      case WriteOutcome::kConflict:
        conflicts.push_back(i);
        break;
      case WriteOutcome::kNothing:
        break;
    }
  }
  BSON_APPEND_INT32(reply, "n", matched + static_cast<int32_t>(upserted.size()));
  BSON_APPEND_INT32(reply, "nModified", matched);
  AppendIndexes(reply, "upserted", upserted, false);
  AppendIndexes(reply, "writeErrors", conflicts, true);
  BSON_APPEND_DOUBLE(reply, "ok", 1.0);
}

}  // namespace tidegate::mongo_stub
