// The members of a document of ours that is changed in place, as both landings keep them. Pure; one
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/json/json.h"

namespace tidegate::reader {

struct Value;
using Array = std::vector<Value>;

// Members in their order. Few, so that they are looked for from the front.
class Object {
 public:
  using Member = std::pair<std::string, Value>;

  // nullptr: there is none of that name.
  const Value* Find(std::string_view name) const;
  // The member of that name, made as a null if there is none. Until the object changes.
  Value& operator[](std::string_view name);

  // What the member says; the fallback if there is none, or one of another type. A time may also be
  // text that reads as one, and a number whole or not: landings differ in what they keep.
  int64_t Integer(std::string_view name, int64_t fallback = 0) const;
  double Number(std::string_view name, double fallback = 0) const;
  std::string_view Text(std::string_view name) const;
  bool Bool(std::string_view name) const;
  std::optional<WallTime> Time(std::string_view name) const;
  // The object of that name, made if there is none.
  Object& Child(std::string_view name);

  std::vector<Member>& members() { return members_; }
  const std::vector<Member>& members() const { return members_; }
  friend bool operator==(const Object&, const Object&);

 private:
  std::vector<Member> members_;
};

struct Value {
  std::variant<std::nullptr_t, bool, int64_t, double, std::string, WallTime, Array, Object> is =
      nullptr;

  friend bool operator==(const Value&, const Value&);
};

// A copy of what a message carried. Whole numbers that fit are int64, others doubles.
Value ToValue(json::Value value);
// JSON with times as UTC text that sorts.
void WriteJson(const Value& value, json::Writer& writer);
std::string ToJson(const Object& object);

}  // namespace tidegate::reader
