// The name of a collection and the description of an index, the same for every database. Pure.
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
  // Member and direction: 1 or -1.
  std::vector<std::pair<std::string, int>> keys = {};
  // Documents are removed when the time in the index's one member is past.
  bool expires = false;
  // Earlier versions made an index of this name: it is dropped.
  bool retired = false;
};

}  // namespace tidegate::reader
