// The collections of a stub, in memory. One thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/mongo_stub/wire.h"

namespace tidegate::mongo_stub {

// A document's bytes as they came.
using Stored = std::string;

// As relaxed extended JSON; empty if it is none.
std::string JsonOf(Bytes document);
inline Bytes BytesOf(const Stored& stored) {
  return {reinterpret_cast<const uint8_t*>(stored.data()), stored.size()};
}

// Whether the members that the filter names, also by dotted paths, are equal to its own, or one of
// those in its $in.
bool Matches(Bytes document, Bytes filter);

class Collections {
 public:
  // False: one of that id is there. An `_id` that is no text is kept as its JSON.
  bool Insert(const std::string& ns, Bytes document);
  void Put(const std::string& ns, const std::string& id, Stored document);
  void Index(const std::string& ns, Bytes specification);
  // False: there is none.
  bool DropIndex(const std::string& ns, const std::string& name);

  // False: there was none.
  bool Drop(const std::string& ns) { return collections_.erase(ns) > 0; }

  // `order`: paths of numbers and texts, ascending whatever it says; empty: by `_id`.
  std::vector<const Stored*> Find(const std::string& ns, Bytes filter, Bytes order = {}) const;
  std::vector<const Stored*> IndexesOf(const std::string& ns) const;
  std::vector<std::string> Ids(const std::string& ns) const;
  const Stored* Get(const std::string& ns, const std::string& id) const;

 private:
  struct Collection {
    std::map<std::string, Stored> documents;
    std::map<std::string, Stored> indexes;
  };
  std::map<std::string, Collection> collections_;
};

}  // namespace tidegate::mongo_stub
