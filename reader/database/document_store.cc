#include "reader/database/document_store.h"

namespace tidegate::reader {

const Index& ExpiryIndex() {
  static const Index index{.name = "expiry", .keys = {{"tidegate.expires_at", 1}}, .expires = true};
  return index;
}

Result<size_t> DocumentStore::Expire(const Namespace&, WallTime, size_t) {
  return size_t{0};
}

}  // namespace tidegate::reader
