// Hostile JSON in, values out. Stricter than RFC 8259 asks: bad UTF-8, duplicate keys, NUL in
// strings, too much depth, size or count are refused. Numbers keep the text they were written with.
// One thread per Document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tidegate::json {

struct Node;

struct Limits {
  size_t max_bytes = 256 * 1024;
  size_t max_depth = 16;       // Of nested objects and arrays.
  size_t max_values = 10'000;  // Members and elements, all levels together. Each costs 40 to 80
                               // bytes while parsed.
};

enum class Type : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

// A view of one value; lives as long as its Document.
class Value {
 public:
  explicit Value(const Node* node) : node_(node) {}

  Type type() const;
  bool is_object() const { return type() == Type::kObject; }
  bool is_array() const { return type() == Type::kArray; }
  bool is_string() const { return type() == Type::kString; }
  bool is_number() const { return type() == Type::kNumber; }

  // REQUIRES: the type of the same name.
  bool as_bool() const;
  std::string_view as_string() const;
  double as_number() const;              // The nearest double; an infinity beyond its range.
  std::string_view number_text() const;  // As it was written.
  // REQUIRES: an object or array.
  size_t source_bytes() const;  // Of its text, all white space included.

  // Its key if it is an object's member, else empty.
  std::string_view key() const;
  // The member of that exact name; nullopt if this is no object or has none.
  std::optional<Value> Find(std::string_view key) const;
  // Walks members or elements in the source's order: for (auto v = x.First(); v; v = v->Next()).
  std::optional<Value> First() const;
  std::optional<Value> Next() const;

 private:
  friend class Writer;
  const Node* node_;
};

class Document {
 public:
  // kRejected: what is wrong and at which byte offset. Exactly one value, white space around it
  // allowed.
  static Result<Document> Parse(std::string_view text, const Limits& limits = {});
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  Value root() const;
  // How many there are: the root and what is in it, all levels together.
  size_t values() const;

 private:
  struct Tree;
  explicit Document(std::unique_ptr<Tree> tree);
  std::unique_ptr<Tree> tree_;
};

// Appends canonical JSON to a string: no white space, strings with the shortest escapes (\" \\ \b
// \f \n \r \t, else \u00xx below 0x20; everything else as UTF-8), numbers as given. Commas are
// placed by itself. REQUIRES: calls form one valid value.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();
  void Key(std::string_view key);
  void String(std::string_view utf8);
  void Number(std::string_view text);  // REQUIRES: a number by RFC 8259.
  void Integer(int64_t number);
  void Unsigned(uint64_t number);
  void Double(
      double number);  // Shortest text that reads back the same; null for NaN and infinities.
  void Bool(bool value);
  void Null();
  void Copy(Value value);    // With all that is in it, in the source's order.
  void Member(Value value);  // The same with its key. REQUIRES: it is an object's member.

 private:
  void Separate();
  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace tidegate::json
