#include "core/json/scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/json/key_set.h"
#include "core/utf8.h"

namespace tidegate::json {

namespace {
constexpr size_t kShownKeyBytes = 40;
// Up to here comparing every pair of keys is cheaper than a set of them.
constexpr size_t kFewKeys = 16;
constexpr size_t kUsualNodes = 24;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// The bytes that may appear in a string without further examination: all of ASCII but the quote,
// the backslash and control characters.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsHighSurrogate(unsigned unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool IsLowSurrogate(unsigned unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

// Writes the code point as UTF-8 and returns the end of what it wrote.
char* PutUtf8(char* out, unsigned point) {
  const auto put = [&out](unsigned byte) { *out++ = static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
  return out;
}

class Scanner {
 public:
  Scanner(std::span<char> text, const Limits& limits)
      : buffer_(text.data()),
        text_(text.data(), text.size()),
        max_depth_(std::min(limits.max_depth, kDeepest)),
        max_values_(limits.max_values) {
    nodes_.reserve(kUsualNodes);
  }

  bool Run() {
    SkipSpace();
    if (!ScanValue(AddNode(), 0)) return false;
    SkipSpace();
    return at_ == text_.size() || Fail("unexpected text after the value");
  }

  std::vector<Node> TakeNodes() { return std::move(nodes_); }
  Error error() const {
    return {ErrorCode::kRejected, fmt::format("json: {} at byte {}", what_, where_)};
  }

 private:
  bool Fail(std::string what, std::optional<size_t> where = std::nullopt) {
    what_ = std::move(what);
    where_ = where.value_or(at_);
    return false;
  }

  // NUL at the end. Every byte passes here, so this is without the library's check of the index.
  char Peek() const { return at_ < text_.size() ? text_.data()[at_] : '\0'; }
  bool Accept(char c) {
    if (at_ >= text_.size() || text_.data()[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    if (!IsSpace(Peek())) return;
    ++blemishes_;
    while (IsSpace(Peek())) ++at_;
  }

  size_t AddNode() {
    nodes_.emplace_back();
    return nodes_.size() - 1;
  }

  // The Scan functions read the next value into a node that the caller has added.
  bool ScanValue(size_t node, size_t depth) {
    if (at_ >= text_.size()) return Fail("unexpected end");
    const size_t start = at_;
    const size_t blemishes = blemishes_;
    const char first = text_[at_];
    if (first == '"') return ScanText(node);
    if (first == '{' || first == '[') {
      if (depth >= max_depth_) return Fail("nested too deep");
      nodes_[node].type = first == '{' ? Type::kObject : Type::kArray;
      if (!(first == '{' ? ScanObject(node, depth + 1) : ScanArray(node, depth + 1))) return false;
    } else if (!ScanPlain(nodes_[node], first)) {
      return false;
    }
    Node& scanned = nodes_[node];
    scanned.text = {text_.data() + start, at_ - start};
    scanned.canonical = blemishes_ == blemishes;
    return true;
  }

  bool ScanPlain(Node& node, char first) {
    if (first == 't' || first == 'f') {
      node.type = Type::kBool;
      return ScanLiteral(first == 't' ? "true" : "false");
    }
    if (first == 'n') return ScanLiteral("null");
    node.type = Type::kNumber;
    return ScanNumber();
  }

  bool ScanText(size_t node) {
    Node& scanned = nodes_[node];
    scanned.type = Type::kString;
    return ScanString(scanned.text, scanned.canonical);
  }

  bool ScanObject(size_t object, size_t depth) {
    ++at_;
    SkipSpace();
    if (Accept('}')) return true;
    size_t last = 0;
    size_t members = 0;
    do {
      SkipSpace();
      last = AddChild(object, last);
      ++members;
      if (!ScanKey(nodes_[last]) || !CountValue()) return false;
      SkipSpace();
      if (!Accept(':')) return Fail("expected ':'");
      SkipSpace();
      if (!ScanValue(last, depth)) return false;
      SkipSpace();
    } while (Accept(','));
    if (!Accept('}')) return Fail("expected ',' or '}'");
    return CheckKeys(nodes_[object], members);
  }

  bool ScanArray(size_t array, size_t depth) {
    ++at_;
    SkipSpace();
    if (Accept(']')) return true;
    size_t last = 0;
    do {
      SkipSpace();
      last = AddChild(array, last);
      if (!CountValue() || !ScanValue(last, depth)) return false;
      SkipSpace();
    } while (Accept(','));
    return Accept(']') || Fail("expected ',' or ']'");
  }

  // `last` is the previous child, 0 for the first.
  size_t AddChild(size_t parent, size_t last) {
    const size_t child = AddNode();
    if (last == 0) {
      nodes_[parent].has_children = true;
    } else {
      nodes_[last].next = static_cast<uint32_t>(child - last);
    }
    return child;
  }

  bool CountValue() { return ++values_ <= max_values_ || Fail("too many values"); }

  bool ScanKey(Node& member) {
    if (Peek() != '"') return Fail("expected a key");
    return ScanString(member.key, member.canonical_key);
  }

  bool CheckKeys(const Node& object, size_t members) {
    if (members > kFewKeys) return CheckManyKeys(object, members);
    for (const Node* a = &object + 1; a->next != 0; a += a->next) {
      for (const Node* b = a + a->next;; b += b->next) {
        if (a->key == b->key) return FailDuplicate(b->key);
        if (b->next == 0) break;
      }
    }
    return true;
  }

  bool CheckManyKeys(const Node& object, size_t members) {
    KeySet keys;
    const Node* member = &object + 1;
    for (size_t i = 0; i < members; ++i, member += member->next) {
      if (!keys.Insert(member->key)) return FailDuplicate(member->key);
    }
    return true;
  }

  bool FailDuplicate(std::string_view key) {
    const auto quote = static_cast<size_t>(key.data() - text_.data()) - 1;
    if (key.size() > kShownKeyBytes) return Fail("duplicate key", quote);
    return Fail(fmt::format("duplicate key \"{}\"", key), quote);
  }

  // Sets `contents` to the text without escapes, and `canonical` if it had none.
  bool ScanString(std::string_view& contents, bool& canonical) {
    const size_t start = at_++;
    bool escaped = false;
    for (;;) {
      SkipPlain();
      if (at_ >= text_.size()) return Fail("string without an end", start);
      const char c = text_[at_];
      if (c == '"') break;
      if (c == '\\') {
        escaped = true;
        if (!ScanEscape()) return false;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        return Fail("control character in a string");
      } else {
        const size_t bytes = Utf8SequenceBytes(text_.substr(at_));
        if (bytes == 0) return Fail("invalid UTF-8");
        at_ += bytes;
      }
    }
    contents = text_.substr(start + 1, at_ - start - 1);
    ++at_;
    canonical = !escaped;
    if (escaped) {
      ++blemishes_;
      contents = Unescape(buffer_ + start + 1, contents);
    }
    return true;
  }

  // As Peek(), without a check of each index.
  void SkipPlain() {
    const char* const end = text_.data() + text_.size();
    const char* at = text_.data() + at_;
    while (at != end && kPlain[static_cast<unsigned char>(*at)]) ++at;
    at_ = static_cast<size_t>(at - text_.data());
  }

  bool ScanEscape() {
    const size_t start = at_++;
    const char c = Peek();
    if (c != 'u') {
      if (c == '\0' || std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) {
        return Fail("unknown escape", start);
      }
      ++at_;
      return true;
    }
    const std::optional<unsigned> unit = HexUnit(start);
    if (!unit) return Fail("\\u needs four hex digits", start);
    if (*unit == 0) return Fail("NUL in a string", start);
    if (IsLowSurrogate(*unit)) return Fail("lone surrogate", start);
    at_ = start + 6;
    if (!IsHighSurrogate(*unit)) return true;
    const std::optional<unsigned> low = HexUnit(at_);
    if (!low || !IsLowSurrogate(*low)) return Fail("lone surrogate", start);
    at_ += 6;
    return true;
  }

  // Returns the number of the \uxxxx at this offset; nullopt if there is none.
  std::optional<unsigned> HexUnit(size_t offset) const { return HexUnitOf(text_, offset); }

  static std::optional<unsigned> HexUnitOf(std::string_view text, size_t offset) {
    if (text.size() < offset + 6 || text[offset] != '\\' || text[offset + 1] != 'u')
      return std::nullopt;
    unsigned unit = 0;
    for (size_t i = offset + 2; i < offset + 6; ++i) {
      const int digit = HexValue(text[i]);
      if (digit < 0) return std::nullopt;
      unit = unit * 16 + static_cast<unsigned>(digit);
    }
    return unit;
  }

  // Unescapes `raw` in place: it begins at `out`, and no escape is shorter than what it means.
  static std::string_view Unescape(char* out, std::string_view raw) {
    constexpr std::string_view kLetters = "bfnrt";
    constexpr std::string_view kMeanings = "\b\f\n\r\t";
    const char* const begin = out;
    for (size_t i = 0; i < raw.size();) {
      if (raw[i] != '\\') {
        *out++ = raw[i++];
      } else if (raw[i + 1] != 'u') {
        const size_t letter = kLetters.find(raw[i + 1]);
        *out++ = letter == std::string_view::npos ? raw[i + 1] : kMeanings[letter];
        i += 2;
      } else {
        unsigned point = HexUnitOf(raw, i).value_or(0);
        i += 6;
        if (IsHighSurrogate(point)) {
          point =
              0x10000 + ((point - 0xD800) << 10) + (HexUnitOf(raw, i).value_or(0xDC00) - 0xDC00);
          i += 6;
        }
        out = PutUtf8(out, point);
      }
    }
    return {begin, static_cast<size_t>(out - begin)};
  }

  bool ScanLiteral(std::string_view literal) {
    if (text_.substr(at_, literal.size()) != literal) return Fail("unexpected text");
    at_ += literal.size();
    return true;
  }

  bool ScanDigits() {
    const size_t start = at_;
    while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
    return at_ > start;
  }

  bool ScanNumber() {
    const size_t start = at_;
    const bool negative = Accept('-');
    if (!IsDigit(Peek())) return Fail(negative ? "bad number" : "unexpected text", start);
    if (!Accept('0')) ScanDigits();
    if (Accept('.') && !ScanDigits()) return Fail("bad number", start);
    if (Accept('e') || Accept('E')) {
      if (!Accept('+')) Accept('-');
      if (!ScanDigits()) return Fail("bad number", start);
    }
    if (IsDigit(Peek())) return Fail("number with a leading zero", start);
    return true;
  }

  // The same bytes as text_, for unescaping in place.
  char* const buffer_;
  // Strings before at_ may have been unescaped already.
  const std::string_view text_;
  const size_t max_depth_;
  const size_t max_values_;
  size_t at_ = 0;
  size_t values_ = 0;
  // Number of white spaces and escapes so far: none in a value means that it is canonical.
  size_t blemishes_ = 0;
  std::vector<Node> nodes_;
  std::string what_;
  size_t where_ = 0;
};
}  // namespace

Result<std::vector<Node>> Scan(std::span<char> text, const Limits& limits) {
  Scanner scanner(text, limits);
  if (!scanner.Run()) return scanner.error();
  return scanner.TakeNodes();
}

}  // namespace tidegate::json
