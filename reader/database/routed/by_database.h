// One store for each database that is on a server of its own, and a common one for all others.
// Private to this folder.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace tidegate::reader {

template <typename Store>
class ByDatabase {
 public:
  using Own = std::map<std::string, std::unique_ptr<Store>>;

  ByDatabase(std::unique_ptr<Store> common, Own own)
      : common_(std::move(common)), own_(std::move(own)) {}

  Store& Of(const std::string& database) const {
    const auto own = own_.find(database);
    return own == own_.end() ? *common_ : *own->second;
  }
  Store& common() const { return *common_; }
  const Own& own() const { return own_; }

 private:
  std::unique_ptr<Store> common_;
  Own own_;
};

}  // namespace tidegate::reader
