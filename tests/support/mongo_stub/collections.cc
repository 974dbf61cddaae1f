#include "tests/support/mongo_stub/collections.h"

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

std::string TextMember(Bytes bytes, const char* name) {
  bson_t document;
  bson_iter_t member;
  const bool found = View(bytes, &document) && bson_iter_init_find(&member, &document, name);
  return found ? TextOf(member) : "";
}

Stored Copy(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool Matches(Bytes document, Bytes filter) {
  bson_t wanted;
  bson_iter_t member;
  if (!View(filter, &wanted) || !bson_iter_init(&member, &wanted)) return true;
  while (bson_iter_next(&member)) {
    if (TextMember(document, bson_iter_key(&member)) != TextOf(member)) return false;
  }
  return true;
}
}  // namespace

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

void Collections::Index(const std::string& ns, Bytes specification) {
  collections_[ns].indexes[TextMember(specification, "name")] = Copy(specification);
}

bool Collections::DropIndex(const std::string& ns, const std::string& name) {
  return collections_[ns].indexes.erase(name) > 0;
}

std::vector<const Stored*> Collections::Find(const std::string& ns, Bytes filter) const {
  std::vector<const Stored*> found;
  const auto collection = collections_.find(ns);
  if (collection == collections_.end()) return found;
  for (const auto& [id, stored] : collection->second.documents) {
    if (Matches(BytesOf(stored), filter)) found.push_back(&stored);
  }
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
