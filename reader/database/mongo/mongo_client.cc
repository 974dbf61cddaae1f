#include "reader/database/mongo/mongo_client.h"

#include <fmt/format.h>

namespace tidegate::reader {

void UseMongoc() {
  struct Library {
    Library() {
      mongoc_init();
      // Every call reports its error; the log would repeat them, URIs included.
      mongoc_log_set_handler(nullptr, nullptr);
    }
    ~Library() { mongoc_cleanup(); }
  };
  static const Library library;
}

Result<UriHandle> ParseMongoUri(const std::string& text) {
  UseMongoc();
  bson_error_t error{};
  UriHandle uri(mongoc_uri_new_with_error(text.c_str(), &error));
  if (!uri) return Error{ErrorCode::kInvalid, "not a MongoDB connection string"};
  return uri;
}

void SetUriDefault(mongoc_uri_t* uri, const char* option, int32_t value) {
  if (!mongoc_uri_has_option(uri, option)) mongoc_uri_set_option_as_int32(uri, option, value);
}

Error MongoError(std::string_view operation, const bson_error_t& error) {
  return {ErrorCode::kUnavailable, fmt::format("{}: {} (domain {}, code {})", operation,
                                               error.message, error.domain, error.code)};
}

CollectionHandle CollectionOf(mongoc_client_t* client, const Namespace& ns) {
  return CollectionHandle(
      mongoc_client_get_collection(client, ns.database.c_str(), ns.collection.c_str()));
}

// Runs the command itself, because libmongoc's function for it differs between 1.23, 1.24 and 2.0.
// One index in each command, because some servers accept no more.
bool CreateIndex(mongoc_client_t* client, const Namespace& ns, const Index& index, bool sparse,
                 bson_error_t* error) {
  Bson command;
  BSON_APPEND_UTF8(command.get(), "createIndexes", ns.collection.c_str());
  bson_t list;
  bson_t item;
  bson_t key;
  BSON_APPEND_ARRAY_BEGIN(command.get(), "indexes", &list);
  BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &item);
  BSON_APPEND_DOCUMENT_BEGIN(&item, "key", &key);
  for (const auto& [member, direction] : index.keys)
    BSON_APPEND_INT32(&key, member.c_str(), direction);
  bson_append_document_end(&item, &key);
  BSON_APPEND_UTF8(&item, "name", index.name.c_str());
  if (index.expires) BSON_APPEND_INT32(&item, "expireAfterSeconds", 0);
  if (sparse) BSON_APPEND_BOOL(&item, "sparse", true);
  bson_append_document_end(&list, &item);
  bson_append_array_end(command.get(), &list);
  return mongoc_client_command_simple(client, ns.database.c_str(), command.get(), nullptr, nullptr,
                                      error);
}

bool DropIndex(mongoc_client_t* client, const Namespace& ns, const std::string& name,
               bson_error_t* error) {
  constexpr uint32_t kNamespaceNotFound = 26;
  constexpr uint32_t kIndexNotFound = 27;
  Bson command;
  BSON_APPEND_UTF8(command.get(), "dropIndexes", ns.collection.c_str());
  BSON_APPEND_UTF8(command.get(), "index", name.c_str());
  if (mongoc_client_command_simple(client, ns.database.c_str(), command.get(), nullptr, nullptr,
                                   error))
    return true;
  return error->domain == MONGOC_ERROR_SERVER &&
         (error->code == kNamespaceNotFound || error->code == kIndexNotFound);
}

Status PingDatabase(mongoc_client_t* client, const bson_t* command) {
  bson_error_t error{};
  if (mongoc_client_command_simple(client, "admin", command, nullptr, nullptr, &error)) return {};
  return MongoError("ping the database", error);
}

}  // namespace tidegate::reader
