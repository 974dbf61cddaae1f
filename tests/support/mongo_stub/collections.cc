#include "tests/support/mongo_stub/collections.h"

#include <algorithm>
#include <utility>

#include "tests/support/mongo_stub/bson_handle.h"

namespace tidegate::mongo_stub {

namespace {
std::string TextOf(const bson_iter_t& member) {
  if (BSON_ITER_HOLDS_UTF8(&member)) return bson_iter_utf8(&member, nullptr);
  bson_t alone;
  bson_init(&alone);
  bson_append_iter(&alone, "", 0, &member);
  std::string text = JsonOf({bson_get_data(&alone), alone.len});
  bson_destroy(&alone);
  return text;
}

bool IsOneOf(const std::string& text, const bson_iter_t& list) {
  bson_iter_t element;
  if (!BSON_ITER_HOLDS_ARRAY(&list) || !bson_iter_recurse(&list, &element)) return false;
  while (bson_iter_next(&element)) {
    if (TextOf(element) == text) return true;
  }
  return false;
}

std::string TextMember(Bytes bytes, const char* name) {
  bson_t document;
  bson_iter_t start;
  bson_iter_t member;
  const bool found = View(bytes, &document) && bson_iter_init(&start, &document) &&
                     bson_iter_find_descendant(&start, name, &member);
  return found ? TextOf(member) : "";
}

// By which it is sorted: numbers by their value, texts by their bytes.
std::pair<int64_t, std::string> PlaceOf(Bytes bytes, const char* name) {
  bson_t document;
  bson_iter_t start;
  bson_iter_t member;
  if (!View(bytes, &document) || !bson_iter_init(&start, &document) ||
      !bson_iter_find_descendant(&start, name, &member))
    return {};
  if (BSON_ITER_HOLDS_INT(&member)) return {bson_iter_as_int64(&member), ""};
  return {0, TextOf(member)};
}

Stored Copy(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

bool Matches(Bytes document, Bytes filter) {
  bson_t wanted;
  bson_iter_t member;
  bson_iter_t list;
  if (!View(filter, &wanted) || !bson_iter_init(&member, &wanted)) return true;
  while (bson_iter_next(&member)) {
    const std::string text = TextMember(document, bson_iter_key(&member));
    const bool in = BSON_ITER_HOLDS_DOCUMENT(&member) && bson_iter_recurse(&member, &list) &&
                    bson_iter_find(&list, "$in");
    if (in ? !IsOneOf(text, list) : text != TextOf(member)) return false;
  }
  return true;
}

std::string JsonOf(Bytes bytes) {
  bson_t document;
  if (!View(bytes, &document)) return "";
  char* text = bson_as_relaxed_extended_json(&document, nullptr);
  std::string copy = text ? text : "";
  bson_free(text);
  return copy;
}

bool Collections::Insert(const std::string& ns, Bytes document) {
  auto& documents = collections_[ns].documents;
  return documents.try_emplace(TextMember(document, "_id"), Copy(document)).second;
}

void Collections::Put(const std::string& ns, const std::string& id, Stored document) {
  collections_[ns].documents[id] = std::move(document);
}

void Collections::Index(const std::string& ns, Bytes specification) {
  collections_[ns].indexes[TextMember(specification, "name")] = Copy(specification);
}

bool Collections::DropIndex(const std::string& ns, const std::string& name) {
  return collections_[ns].indexes.erase(name) > 0;
}

std::vector<const Stored*> Collections::Find(const std::string& ns, Bytes filter,
                                             Bytes order) const {
  std::vector<const Stored*> found;
  const auto collection = collections_.find(ns);
  if (collection == collections_.end()) return found;
  for (const auto& [id, stored] : collection->second.documents) {
    if (Matches(BytesOf(stored), filter)) found.push_back(&stored);
  }
  bson_t paths;
  bson_iter_t path;
  if (order.empty() || !View(order, &paths) || !bson_iter_init(&path, &paths)) return found;
  std::vector<std::string> names;
  while (bson_iter_next(&path)) names.emplace_back(bson_iter_key(&path));
  std::ranges::stable_sort(found, {}, [&](const Stored* stored) {
    std::vector<std::pair<int64_t, std::string>> place;
    for (const std::string& name : names) place.push_back(PlaceOf(BytesOf(*stored), name.c_str()));
    return place;
  });
  return found;
}

std::vector<const Stored*> Collections::IndexesOf(const std::string& ns) const {
  std::vector<const Stored*> found;
  const auto collection = collections_.find(ns);
  if (collection == collections_.end()) return found;
  for (const auto& [name, stored] : collection->second.indexes) found.push_back(&stored);
  return found;
}

std::vector<std::string> Collections::Ids(const std::string& ns) const {
  std::vector<std::string> ids;
  const auto collection = collections_.find(ns);
  if (collection == collections_.end()) return ids;
  for (const auto& [id, stored] : collection->second.documents) ids.push_back(id);
  return ids;
}

const Stored* Collections::Get(const std::string& ns, const std::string& id) const {
  const auto collection = collections_.find(ns);
  if (collection == collections_.end()) return nullptr;
  const auto found = collection->second.documents.find(id);
  return found == collection->second.documents.end() ? nullptr : &found->second;
}

}  // namespace tidegate::mongo_stub
