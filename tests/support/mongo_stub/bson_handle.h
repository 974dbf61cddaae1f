// libbson's views of bytes, and an owner of a document. Private to this folder.
#pragma once

#include <bson/bson.h>

#include <string>

#include "tests/support/mongo_stub/wire.h"

namespace tidegate::mongo_stub {

// Makes `out` a view of the bytes. False: they are no document.
inline bool View(Bytes bytes, bson_t* out) {
  return bson_init_static(out, bytes.data(), bytes.size());
}

// Returns the bytes of an embedded document; empty if the member is of another type.
inline Bytes DocumentAt(const bson_iter_t& member) {
  const uint8_t* data = nullptr;
  uint32_t length = 0;
  if (BSON_ITER_HOLDS_DOCUMENT(&member)) bson_iter_document(&member, &length, &data);
  return {data, length};
}

// A document that is being built; it is destroyed at the end of its scope.
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
