// Where documents lie, and how a collection is indexed; the same words for every database. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tidegate::reader {

struct Namespace {
  std::string database;
  std::string collection;

  auto operator<=>(const Namespace&) const = default;
};

struct Index {
  std::string name = {};
  std::vector<std::pair<std::string, int>> keys = {};  // Member and direction: 1 or -1.
  bool expires = false;  // A document goes when the time in the index's one member has come.
  bool retired = false;  // Earlier versions made one of this name: it is to go.
};

}  // namespace tidegate::reader
