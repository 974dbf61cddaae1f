// What everything that works on a client of libmongoc needs: its start, its errors, its
// collections. For the landing and the queries.
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

// libmongoc wants one init before anything else and one cleanup after everything else in a process.
// Any thread.
void UseMongoc();

// kInvalid, without libmongoc's message, which may quote the URI and with it the password.
Result<UriHandle> ParseMongoUri(const std::string& text);
// Unless the URI says otherwise.
void SetUriDefault(mongoc_uri_t* uri, const char* option, int32_t value);

// kUnavailable, with libmongoc's message and code.
Error MongoError(std::string_view operation, const bson_error_t& error);

CollectionHandle CollectionOf(mongoc_client_t* client, const Namespace& ns);

// A pool of clients and one client of it, which gives itself back. kUnavailable: none can be had
// now; a pool asks the name service if the URI is mongodb+srv.
Result<PoolHandle> NewMongoPool(const mongoc_uri_t* uri, const char* application);
Result<ClientHandle> TakeClient(mongoc_client_pool_t* pool);

// False: what libmongoc says is in `error`. `sparse`: of documents that have the member.
bool CreateIndex(mongoc_client_t* client, const Namespace& ns, const Index& index, bool sparse,
                 bson_error_t* error);

// One that is not there is dropped. Otherwise as CreateIndex.
bool DropIndex(mongoc_client_t* client, const Namespace& ns, const std::string& name,
               bson_error_t* error);

Status PingDatabase(mongoc_client_t* client, const bson_t* command);

// Where the items of each namespace stand, in their order.
template <typename Items, typename NamespaceOf>
std::map<Namespace, std::vector<size_t>> ByNamespace(const Items& items, NamespaceOf of) {
  std::map<Namespace, std::vector<size_t>> groups;
  for (size_t i = 0; i < items.size(); ++i) groups[std::invoke(of, items[i])].push_back(i);
  return groups;
}

}  // namespace tidegate::reader
