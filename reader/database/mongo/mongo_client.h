// Functions on a client of libmongoc that the landing and the queries share: URIs, errors,
// collections, indexes. Private to this folder; the thread is the client's.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "reader/database/mongo/mongoc_handle.h"
#include "reader/database/namespace.h"

namespace tidegate::reader {

// Initialises libmongoc once in the process and cleans it up at exit. Any thread.
void UseMongoc();

// kInvalid: the text is no URI. libmongoc's message is not passed on, because it may quote the URI
// and with it the password.
Result<UriHandle> ParseMongoUri(const std::string& text);
// Sets an option that the URI does not set.
void SetUriDefault(mongoc_uri_t* uri, const char* option, int32_t value);

// Returns kUnavailable with the operation and libmongoc's message, domain and code.
Error MongoError(std::string_view operation, const bson_error_t& error);

CollectionHandle CollectionOf(mongoc_client_t* client, const Namespace& ns);

// Makes an index. With `sparse` it holds only documents that have the member. False: libmongoc's
// error is in `error`.
bool CreateIndex(mongoc_client_t* client, const Namespace& ns, const Index& index, bool sparse,
                 bson_error_t* error);

// Drops an index; one that does not exist counts as dropped. False: as for CreateIndex.
bool DropIndex(mongoc_client_t* client, const Namespace& ns, const std::string& name,
               bson_error_t* error);

Status PingDatabase(mongoc_client_t* client, const bson_t* command);

// Returns the positions of each namespace's items, in ascending order.
template <typename Items, typename NamespaceOf>
std::map<Namespace, std::vector<size_t>> ByNamespace(const Items& items, NamespaceOf of) {
  std::map<Namespace, std::vector<size_t>> groups;
  for (size_t i = 0; i < items.size(); ++i) groups[std::invoke(of, items[i])].push_back(i);
  return groups;
}

}  // namespace tidegate::reader
