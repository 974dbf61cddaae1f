// The clients of one MongoDB URI, from a pool that is made when the first client is asked for. Any
// thread. Private to this folder.
#pragma once

#include "core/annotated_mutex.h"
#include "core/result.h"
#include "reader/database/mongo/mongoc_handle.h"

namespace tidegate::reader {

class MongoClients {
 public:
  // `application` is the name that the server logs. It must outlive the object.
  MongoClients(UriHandle uri, const char* application)
      : uri_(std::move(uri)), application_(application) {}

  // Returns a client, which goes back to the pool when its handle is destroyed. The object must
  // outlive it. Waits at most the URI's waitQueueTimeoutMS. kUnavailable: no client is free, or the
  // name of a mongodb+srv URI does not resolve.
  Result<ClientHandle> Take();

 private:
  Result<mongoc_client_pool_t*> Pool();

  const UriHandle uri_;
  const char* const application_;
  AnnotatedMutex mutex_;
  PoolHandle pool_ TIDEGATE_GUARDED_BY(mutex_);
};

}  // namespace tidegate::reader
