// A database in memory for queries; its faults follow a script. TakeDown() and Restore(): any
// thread; the rest before the stores are used.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "reader/database/query_store.h"

namespace tidegate::reader {

class FakeDatabase {
 public:
  // REQUIRES: `json` is an object.
  void Add(const Namespace& ns, const std::string& id, const std::string& json) {
    documents_[ns][id] = json;
  }
  void TakeDown() { down_ = true; }
  void Restore() { down_ = false; }

  std::unique_ptr<QueryStore> NewStore() const;

 private:
  friend class FakeQueryStore;
  std::map<Namespace, std::map<std::string, std::string>> documents_;
  std::atomic<bool> down_{false};
};

}  // namespace tidegate::reader
