// Reads JSON from outside and writes canonical JSON. Stricter than RFC 8259: invalid UTF-8,
// duplicate keys, NUL in strings, and too much depth, size or count are refused, so that two
// readers cannot understand a text differently. Numbers keep every digit they were written with.
// Why it is not cJSON: README.md. One thread for each Document and its Values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tidegate::json {

struct Node;

// A text over one of these is refused.
struct Limits {
  size_t max_bytes = 256 * 1024;
  // Nested objects and arrays. More than 500 counts as 500, which bounds the recursion.
  size_t max_depth = 16;
  // Members and elements of all levels together. Each takes 40 to 80 bytes while the document
  // lives.
  size_t max_values = 10'000;
};

enum class Type : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

// A view of one value. It is valid while its Document, or the one that was made from it by a move,
// lives.
class Value {
 public:
  explicit Value(const Node* node) : node_(node) {}

  Type type() const;
  bool is_object() const { return type() == Type::kObject; }
  bool is_array() const { return type() == Type::kArray; }
  bool is_string() const { return type() == Type::kString; }
  bool is_number() const { return type() == Type::kNumber; }

  // REQUIRES: the value is a bool.
  bool as_bool() const;
  // Returns the text without escapes. REQUIRES: the value is a string.
  std::string_view as_string() const;
  // Returns the nearest double, an infinity if the number is beyond the range. REQUIRES: the value
  // is a number.
  double as_number() const;
  // Returns the number as it was written. REQUIRES: the value is a number.
  std::string_view number_text() const;
  // Returns the length of the source text, including its white space. REQUIRES: the value is an
  // object or an array.
  size_t source_bytes() const;

  // Returns the key if the value is a member of an object, else an empty text.
  std::string_view key() const;
  // Returns the member of that exact name; nullopt if this is no object or has no such member.
  std::optional<Value> Find(std::string_view key) const;
  // Walk members or elements in the source's order: for (auto v = x.First(); v; v = v->Next()).
  std::optional<Value> First() const;
  std::optional<Value> Next() const;

 private:
  friend class Writer;
  const Node* node_;
};

// A parsed text. It keeps a copy of the text, so the caller's may go.
class Document {
 public:
  // Reads exactly one value, with optional white space around it. kRejected: the message says what
  // is wrong and at which byte offset.
  static Result<Document> Parse(std::string_view text, const Limits& limits = {});
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  // REQUIRES: the document was not moved from.
  Value root() const;
  // Returns how many values there are: the root, and the members and elements of all levels.
  size_t values() const;

 private:
  Document();
  // The nodes' texts point into it.
  std::unique_ptr<char[]> text_;
  // The root is the first. Empty only if the document was moved from.
  std::vector<Node> nodes_;
};

// Appends canonical JSON to a string: no white space; strings with the shortest escapes (\" \\ \b
// \f \n \r \t, else \u00xx below 0x20, everything else as UTF-8); numbers as they are given. It
// places the commas. It does not examine what the calls form together: the caller makes them form
// one valid value. One thread.
class Writer {
 public:
  // Appends to `out`, which outlives the writer.
  explicit Writer(std::string& out) : out_(out) {}

  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();
  void Key(std::string_view key);
  void String(std::string_view utf8);
  // Appends the text as it is. It is not examined: the caller passes a number by RFC 8259, or
  // another value that is canonical JSON already.
  void Number(std::string_view text);
  void Integer(int64_t number);
  void Unsigned(uint64_t number);
  // Appends the shortest text that reads back the same; null for NaN and infinities.
  void Double(double number);
  void Bool(bool value);
  void Null();
  // Appends the value with all its members or elements, in the source's order.
  void Copy(Value value);
  // Appends the value's key and the value. REQUIRES: it is a member of an object.
  void Member(Value value);

 private:
  void Separate();
  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace tidegate::json
