// One store for each database that is on a server of its own, and a common one for all others.
// Private to this folder. Thread: the stores'.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "core/result.h"

namespace tidegate::reader {

template <typename Store>
class ByDatabase {
 public:
  using Own = std::map<std::string, std::unique_ptr<Store>>;

  ByDatabase(std::unique_ptr<Store> common, Own own)
      : common_(std::move(common)), own_(std::move(own)) {}

  // Returns the store that holds the database.
  Store& Of(const std::string& database) const {
    const auto own = own_.find(database);
    return own == own_.end() ? *common_ : *own->second;
  }
  Store& common() const { return *common_; }
  const Own& own() const { return own_; }

  // Calls `call(store, run)` for each run of neighbouring items whose databases are in one store.
  // The first error ends it. `database_of` returns an item's database by reference.
  template <typename Item, typename DatabaseOf, typename Call>
  Status ForEachRun(std::span<const Item> items, DatabaseOf database_of, Call call) const {
    for (size_t first = 0; first < items.size();) {
      Store& store = Of(database_of(items[first]));
      size_t count = 1;
      while (first + count < items.size() && &Of(database_of(items[first + count])) == &store)
        ++count;
      if (Status status = call(store, items.subspan(first, count)); !status.ok()) return status;
      first += count;
    }
    return {};
  }

 private:
  std::unique_ptr<Store> common_;
  Own own_;
};

}  // namespace tidegate::reader
