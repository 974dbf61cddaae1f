#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#include "core/check.h"
#include "core/json/json.h"
#include "core/json/scanner.h"

namespace tidegate::json {

namespace {
// For each character below 0x20, what follows the backslash; 'u' if there is no short form.
constexpr std::string_view kShortEscapes = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";

constexpr std::array<bool, 256> kNeedsEscape = [] {
  std::array<bool, 256> needs{};
  for (size_t c = 0; c < 0x20; ++c) needs[c] = true;
  needs['"'] = needs['\\'] = true;
  return needs;
}();

void AppendEscape(std::string& out, char c) {
  out.push_back('\\');
  if (c == '"' || c == '\\') {
    out.push_back(c);
    return;
  }
  const char letter = kShortEscapes[static_cast<unsigned char>(c)];
  out.push_back(letter);
  if (letter == 'u')
    fmt::format_to(std::back_inserter(out), "{:04x}", static_cast<unsigned char>(c));
}

void AppendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  const char* const end = text.data() + text.size();
  const char* plain = text.data();
  for (const char* at = plain; at != end; ++at) {
    if (!kNeedsEscape[static_cast<unsigned char>(*at)]) continue;
    out.append(plain, static_cast<size_t>(at - plain));
    AppendEscape(out, *at);
    plain = at + 1;
  }
  out.append(plain, static_cast<size_t>(end - plain));
  out.push_back('"');
}
}  // namespace

void Writer::Separate() {
  if (needs_comma_) out_.push_back(',');
  needs_comma_ = true;
}

void Writer::BeginObject() {
  Separate();
  out_.push_back('{');
  needs_comma_ = false;
}

void Writer::EndObject() {
  out_.push_back('}');
  needs_comma_ = true;
}

void Writer::BeginArray() {
  Separate();
  out_.push_back('[');
  needs_comma_ = false;
}

void Writer::EndArray() {
  out_.push_back(']');
  needs_comma_ = true;
}

void Writer::Key(std::string_view key) {
  Separate();
  AppendQuoted(out_, key);
  out_.push_back(':');
  needs_comma_ = false;
}

void Writer::String(std::string_view utf8) {
  Separate();
  AppendQuoted(out_, utf8);
}

void Writer::Number(std::string_view text) {
  Separate();
  out_.append(text);
}

void Writer::Integer(int64_t number) {
  Separate();
  fmt::format_to(std::back_inserter(out_), "{}", number);
}

void Writer::Unsigned(uint64_t number) {
  Separate();
  fmt::format_to(std::back_inserter(out_), "{}", number);
}

void Writer::Double(double number) {
  if (!std::isfinite(number)) return Null();
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  CHECK(error == std::errc{}, "32 bytes hold the shortest text of a double");
  Number({text.data(), static_cast<size_t>(end - text.data())});
}

void Writer::Bool(bool value) {
  Separate();
  out_.append(value ? "true" : "false");
}

void Writer::Null() {
  Separate();
  out_.append("null");
}

void Writer::Member(Value value) {
  const Node& node = *value.node_;
  CHECK(node.key.data() != nullptr, "the value is a member of an object");
  if (!node.canonical_key) {
    Key(node.key);
  } else {
    Separate();
    out_.append(node.key.data() - 1, node.key.size() + 2).push_back(':');
    needs_comma_ = false;
  }
  Copy(value);
}

void Writer::Copy(Value value) {
  if (value.node_->canonical) {
    Separate();
    out_.append(value.node_->source());
    return;
  }
  switch (value.type()) {
    case Type::kNull:
      return Null();
    case Type::kBool:
      return Bool(value.as_bool());
    case Type::kNumber:
      return Number(value.number_text());
    case Type::kString:
      return String(value.as_string());
    case Type::kArray:
      BeginArray();
      for (auto element = value.First(); element; element = element->Next()) Copy(*element);
      return EndArray();
    case Type::kObject:
      BeginObject();
      for (auto member = value.First(); member; member = member->Next()) {
        Member(*member);
      }
      return EndObject();
  }
}

}  // namespace tidegate::json
