// libmongoc's and libbson's objects in owning pointers. Private to this folder.
#pragma once

#include <mongoc/mongoc.h>

#include <memory>

namespace tidegate::reader {

struct QueryUriDestroyer {
  void operator()(mongoc_uri_t* uri) const { mongoc_uri_destroy(uri); }
};
using QueryUriHandle = std::unique_ptr<mongoc_uri_t, QueryUriDestroyer>;

struct QueryPoolDestroyer {
  void operator()(mongoc_client_pool_t* pool) const { mongoc_client_pool_destroy(pool); }
};
using QueryPoolHandle = std::unique_ptr<mongoc_client_pool_t, QueryPoolDestroyer>;

// Gives the client back to its pool, which must outlive it.
struct QueryClientReturner {
  mongoc_client_pool_t* pool = nullptr;
  void operator()(mongoc_client_t* client) const { mongoc_client_pool_push(pool, client); }
};
using QueryClientHandle = std::unique_ptr<mongoc_client_t, QueryClientReturner>;

struct QueryCollectionDestroyer {
  void operator()(mongoc_collection_t* collection) const { mongoc_collection_destroy(collection); }
};
using QueryCollectionHandle = std::unique_ptr<mongoc_collection_t, QueryCollectionDestroyer>;

struct QueryCursorDestroyer {
  void operator()(mongoc_cursor_t* cursor) const { mongoc_cursor_destroy(cursor); }
};
using QueryCursorHandle = std::unique_ptr<mongoc_cursor_t, QueryCursorDestroyer>;

// A bson_t that is destroyed with its scope.
class QueryBson {
 public:
  QueryBson() { bson_init(&bson_); }
  ~QueryBson() { bson_destroy(&bson_); }
  QueryBson(const QueryBson&) = delete;
  QueryBson& operator=(const QueryBson&) = delete;

  bson_t* get() { return &bson_; }
  const bson_t* get() const { return &bson_; }

 private:
  bson_t bson_;
};

}  // namespace tidegate::reader
