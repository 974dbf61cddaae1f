// JSON that is not a record: answers, states and statistics, written and read with cJSON. Records
// use the scanner and the Writer of json.h instead, because cJSON keeps numbers as doubles and
// accepts duplicate keys. One thread per Tree. Where memory ends, functions that build or print
// throw std::bad_alloc, as the standard containers do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/json/json.h"
#include "core/result.h"

struct cJSON;

namespace tidegate::json {

class Elements;

// Adds members to an object of a Tree; they are printed in the order of the calls. A light handle
// that is valid as long as its Tree. REQUIRES: no key holds a NUL or is added twice.
class Members {
 public:
  // Invalid UTF-8 is replaced by U+FFFD; everything else is kept, NULs included.
  void Text(std::string_view key, std::string_view text);
  // All digits are printed.
  void Integer(std::string_view key, int64_t number);
  void Unsigned(std::string_view key, uint64_t number);
  // The shortest text that reads back as the same double; null for NaN and infinities.
  void Number(std::string_view key, double number);
  void Flag(std::string_view key, bool flag);
  void Null(std::string_view key);
  // Copies one JSON value without a look at it; null if it is empty.
  void Raw(std::string_view key, const std::string& json);
  // Adds an empty object or array and returns its handle.
  Members Object(std::string_view key);
  Elements Array(std::string_view key);

 private:
  friend class Tree;
  friend class Elements;
  explicit Members(cJSON* object) : object_(object) {}
  cJSON* object_;
};

// Adds elements to an array of a Tree. A handle like Members.
class Elements {
 public:
  void Text(std::string_view text);
  Members Object();

 private:
  friend class Members;
  explicit Elements(cJSON* array) : array_(array) {}
  cJSON* array_;
};

// One value of a Tree that was parsed. A light handle that is valid as long as its Tree.
class Item {
 public:
  bool is_object() const;
  // The value's key if it is a member of an object, else empty.
  std::string_view key() const;

  // The first member of that exact name; nullopt if this is no object or has none.
  std::optional<Item> Find(std::string_view key) const;
  // Walks members or elements in their order: for (auto i = x.First(); i; i = i->Next()).
  std::optional<Item> First() const;
  std::optional<Item> Next() const;

  // The value of the member of that name. kRejected: there is none, or it is of another type.
  Result<std::string_view> Text(std::string_view key) const;
  Result<bool> Flag(std::string_view key) const;
  // kRejected also: beyond the range of a double.
  Result<double> Number(std::string_view key) const;
  // kRejected also: not whole, or beyond 2^53 on either side, where doubles skip integers.
  Result<int64_t> Integer(std::string_view key) const;

 private:
  friend class Tree;
  explicit Item(const cJSON* item) : item_(item) {}
  const cJSON* item_;
};

class Tree {
 public:
  // An empty object.
  Tree();
  // Reads exactly one value, white space around it allowed. kRejected: no JSON as cJSON reads it,
  // invalid UTF-8, a NUL anywhere, over a limit, or no memory for it.
  static Result<Tree> Parse(std::string_view text, const Limits& limits = {});

  // REQUIRES: the tree is an object.
  Members members();
  Item root() const;
  // One line without white space.
  std::string Print() const;

 private:
  struct Delete {
    void operator()(cJSON* root) const;
  };
  explicit Tree(cJSON* root) : root_(root) {}
  std::unique_ptr<cJSON, Delete> root_;
};

}  // namespace tidegate::json
