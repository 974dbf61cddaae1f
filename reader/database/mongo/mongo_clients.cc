#include "reader/database/mongo/mongo_clients.h"

#include <utility>

#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

Result<mongoc_client_pool_t*> MongoClients::Pool() {
  const MutexLock lock(mutex_);
  if (!pool_) {
    bson_error_t error{};
    PoolHandle pool(mongoc_client_pool_new_with_error(uri_.get(), &error));
    if (!pool) return MongoError("make the pool of MongoDB clients", error);
    mongoc_client_pool_set_error_api(pool.get(), MONGOC_ERROR_API_VERSION_2);
    mongoc_client_pool_set_appname(pool.get(), application_);
    pool_ = std::move(pool);
  }
  return pool_.get();
}

Result<ClientHandle> MongoClients::Take() {
  const auto pool = Pool();
  if (!pool.ok()) return pool.error();
  ClientHandle client(mongoc_client_pool_pop(*pool), ClientReturner{*pool});
  if (!client) return Error{ErrorCode::kUnavailable, "take a client from the pool: none is free"};
  return client;
}

}  // namespace tidegate::reader
