// Owning pointers for the objects of libmongoc and libbson. Private to this folder.
#pragma once

#include <mongoc/mongoc.h>

#include <memory>

namespace tidegate::reader {

struct UriDestroyer {
  void operator()(mongoc_uri_t* uri) const { mongoc_uri_destroy(uri); }
};
using UriHandle = std::unique_ptr<mongoc_uri_t, UriDestroyer>;

struct PoolDestroyer {
  void operator()(mongoc_client_pool_t* pool) const { mongoc_client_pool_destroy(pool); }
};
using PoolHandle = std::unique_ptr<mongoc_client_pool_t, PoolDestroyer>;

// Returns the client to its pool, which must outlive it.
struct ClientReturner {
  mongoc_client_pool_t* pool = nullptr;
  void operator()(mongoc_client_t* client) const { mongoc_client_pool_push(pool, client); }
};
using ClientHandle = std::unique_ptr<mongoc_client_t, ClientReturner>;

struct CollectionDestroyer {
  void operator()(mongoc_collection_t* collection) const { mongoc_collection_destroy(collection); }
};
using CollectionHandle = std::unique_ptr<mongoc_collection_t, CollectionDestroyer>;

struct WriteConcernDestroyer {
  void operator()(mongoc_write_concern_t* concern) const { mongoc_write_concern_destroy(concern); }
};
using WriteConcernHandle = std::unique_ptr<mongoc_write_concern_t, WriteConcernDestroyer>;

struct ReadPrefsDestroyer {
  void operator()(mongoc_read_prefs_t* preference) const { mongoc_read_prefs_destroy(preference); }
};
using ReadPrefsHandle = std::unique_ptr<mongoc_read_prefs_t, ReadPrefsDestroyer>;

struct BulkDestroyer {
  void operator()(mongoc_bulk_operation_t* bulk) const { mongoc_bulk_operation_destroy(bulk); }
};
using BulkHandle = std::unique_ptr<mongoc_bulk_operation_t, BulkDestroyer>;

struct CursorDestroyer {
  void operator()(mongoc_cursor_t* cursor) const { mongoc_cursor_destroy(cursor); }
};
using CursorHandle = std::unique_ptr<mongoc_cursor_t, CursorDestroyer>;

struct ServerDescriptionDestroyer {
  void operator()(mongoc_server_description_t* server) const {
    mongoc_server_description_destroy(server);
  }
};
using ServerDescriptionHandle =
    std::unique_ptr<mongoc_server_description_t, ServerDescriptionDestroyer>;

// A bson_t on the stack that is destroyed at the end of its scope.
class Bson {
 public:
  Bson() { bson_init(&bson_); }
  ~Bson() { bson_destroy(&bson_); }
  Bson(const Bson&) = delete;
  Bson& operator=(const Bson&) = delete;

  bson_t* get() { return &bson_; }
  const bson_t* get() const { return &bson_; }

 private:
  bson_t bson_;
};

}  // namespace tidegate::reader
