// libbson's documents over bytes of ours. For the stub's own files.
#pragma once

#include <bson/bson.h>

#include <string>

#include "tests/support/mongo_stub/wire.h"

namespace tidegate::mongo_stub {

// Points into the bytes. False: they are no document.
inline bool View(Bytes bytes, bson_t* out) {
  return bson_init_static(out, bytes.data(), bytes.size());
}

// A document that is being built, and destroyed with its scope.
class Reply {
 public:
  Reply() { bson_init(&bson_); }
  ~Reply() { bson_destroy(&bson_); }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  bson_t* get() { return &bson_; }
  std::string bytes() const {
    return {reinterpret_cast<const char*>(bson_get_data(&bson_)), bson_.len};
  }

 private:
  bson_t bson_;
};

}  // namespace tidegate::mongo_stub
