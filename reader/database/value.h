// The members of a document that the reader changes after it was stored, the same for every
// landing. Pure; an object belongs to one thread.
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

// Members in their order. They are few, so they are searched from the front.
class Object {
 public:
  using Member = std::pair<std::string, Value>;

  // nullptr: there is no member of that name.
  const Value* Find(std::string_view name) const;
  // Returns the member of that name, which is made as a null if it is missing. The reference is
  // valid until the object changes.
  Value& operator[](std::string_view name);

  // Return the member's value, or the fallback if it is missing or of another type. Because
  // landings differ in the types that they keep, Time also accepts text that parses as a time, and
  // Integer and Number accept both kinds of numbers.
  int64_t Integer(std::string_view name, int64_t fallback = 0) const;
  double Number(std::string_view name, double fallback = 0) const;
  std::string_view Text(std::string_view name) const;
  bool Bool(std::string_view name) const;
  std::optional<WallTime> Time(std::string_view name) const;
  // Returns the object of that name, which is made if it is missing.
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

// Copies a JSON value. Whole numbers that fit are int64, other numbers are doubles.
Value ToValue(json::Value value);
// Write JSON with times as UTC text of fixed width, which sorts by time.
void WriteJson(const Value& value, json::Writer& writer);
std::string ToJson(const Object& object);

}  // namespace tidegate::reader
