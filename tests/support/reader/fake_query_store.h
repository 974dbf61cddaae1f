// A database in memory for queries; its faults follow a script. TakeDown(), Restore(), Hang()
// and Release(): any thread; the rest before the stores are used.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
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
  // Queries of that database wait until Release(). Ping() asks another one.
  void Hang(std::string database);
  void Release();

  std::unique_ptr<QueryStore> NewStore() const;

 private:
  friend class FakeQueryStore;
  std::map<Namespace, std::map<std::string, std::string>> documents_;
  void WaitWhileHanging(const std::string& database) const;

  std::atomic<bool> down_{false};
  mutable std::mutex mutex_;
  mutable std::condition_variable released_;
  std::string hanging_;
};

}  // namespace tidegate::reader
