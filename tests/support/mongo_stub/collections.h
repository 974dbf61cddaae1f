// The collections of a stub, in memory. One thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/mongo_stub/wire.h"

namespace tidegate::mongo_stub {

// A document's bytes as they were received.
using Stored = std::string;

// Returns the document as relaxed extended JSON; empty if the bytes are no document.
std::string JsonOf(Bytes document);
inline Bytes BytesOf(const Stored& stored) {
  return {reinterpret_cast<const uint8_t*>(stored.data()), stored.size()};
}

// Returns true if each member that the filter names, also by a dotted path, equals the filter's
// value or one value of its $in.
bool Matches(Bytes document, Bytes filter);

class Collections {
 public:
  // False: a document of that id exists. An `_id` that is no text is stored as its JSON.
  bool Insert(const std::string& ns, Bytes document);
  void Put(const std::string& ns, const std::string& id, Stored document);
  void Index(const std::string& ns, Bytes specification);
  // False: no such index exists.
  bool DropIndex(const std::string& ns, const std::string& name);

  // False: no such collection existed.
  bool Drop(const std::string& ns) { return collections_.erase(ns) > 0; }

  // `order` names paths of numbers and texts; the order is always ascending. Empty: by `_id`.
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
