#include "core/json/scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>

#include "core/utf8.h"

namespace tidegate::json {

namespace {
constexpr size_t kShownKeyBytes = 40;
// Up to here comparing every pair of keys is cheaper than sorting them.
constexpr size_t kFewKeys = 16;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// The bytes of a string that need no look: neither quote, backslash, control character nor the
// start of a longer sequence.
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

void AppendUtf8(std::string& out, unsigned point) {
  const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
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
}

class Scanner {
 public:
  Scanner(std::string_view text, const Limits& limits)
      : text_(text),
        max_depth_(std::min(limits.max_depth, kDeepest)),
        max_values_(limits.max_values) {
    numbers_.reserve(32);
    keys_.reserve(32);
  }

  bool Run() {
    SkipSpace();
    if (!ScanValue(0)) return false;
    SkipSpace();
    return at_ == text_.size() || Fail("unexpected text after the value");
  }

  std::vector<std::string_view> TakeNumbers() { return std::move(numbers_); }
  Error error() const {
    return {ErrorCode::kRejected, fmt::format("json: {} at byte {}", what_, where_)};
  }

 private:
  struct Key {
    std::string_view text;  // Unescaped.
    size_t offset;
  };

  bool Fail(std::string what, std::optional<size_t> where = std::nullopt) {
    what_ = std::move(what);
    where_ = where.value_or(at_);
    return false;
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Accept(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  bool ScanValue(size_t depth) {
    if (at_ >= text_.size()) return Fail("unexpected end");
    switch (text_[at_]) {
      case '{':
        return depth < max_depth_ ? ScanObject(depth + 1) : Fail("nested too deep");
      case '[':
        return depth < max_depth_ ? ScanArray(depth + 1) : Fail("nested too deep");
      case '"':
        return ScanString();
      case 't':
        return ScanLiteral("true");
      case 'f':
        return ScanLiteral("false");
      case 'n':
        return ScanLiteral("null");
      default:
        return ScanNumber();
    }
  }

  bool ScanObject(size_t depth) {
    const size_t outer_keys = keys_.size();
    ++at_;
    SkipSpace();
    if (Accept('}')) return true;
    do {
      SkipSpace();
      if (!ScanKey() || !CountValue()) return false;
      SkipSpace();
      if (!Accept(':')) return Fail("expected ':'");
      SkipSpace();
      if (!ScanValue(depth)) return false;
      SkipSpace();
    } while (Accept(','));
    if (!Accept('}')) return Fail("expected ',' or '}'");
    if (!CheckKeys(outer_keys)) return false;
    keys_.resize(outer_keys);
    return true;
  }

  bool ScanArray(size_t depth) {
    ++at_;
    SkipSpace();
    if (Accept(']')) return true;
    do {
      SkipSpace();
      if (!CountValue() || !ScanValue(depth)) return false;
      SkipSpace();
    } while (Accept(','));
    return Accept(']') || Fail("expected ',' or ']'");
  }

  bool CountValue() { return ++values_ <= max_values_ || Fail("too many values"); }

  bool ScanKey() {
    const size_t start = at_;
    if (Peek() != '"') return Fail("expected a key");
    bool escaped = false;
    if (!ScanString(&escaped)) return false;
    const std::string_view raw = text_.substr(start + 1, at_ - start - 2);
    keys_.push_back(
        {escaped ? std::string_view(unescaped_.emplace_back(Unescape(raw))) : raw, start});
    return true;
  }

  bool CheckKeys(size_t first) {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto same = [](const Key& a, const Key& b) { return a.text == b.text; };
    if (keys_.size() - first <= kFewKeys) {
      for (auto key = begin; key != keys_.end(); ++key) {
        const auto twin =
            std::find_if(key + 1, keys_.end(), [&](const Key& other) { return same(*key, other); });
        if (twin != keys_.end()) return FailDuplicate(*twin);
      }
      return true;
    }
    std::sort(begin, keys_.end(), [](const Key& a, const Key& b) {
      return a.text != b.text ? a.text < b.text : a.offset < b.offset;
    });
    const auto twin = std::adjacent_find(begin, keys_.end(), same);
    return twin == keys_.end() || FailDuplicate(*(twin + 1));
  }

  bool FailDuplicate(const Key& key) {
    if (key.text.size() > kShownKeyBytes) return Fail("duplicate key", key.offset);
    return Fail(fmt::format("duplicate key \"{}\"", key.text), key.offset);
  }

  bool ScanString(bool* escaped = nullptr) {
    const size_t start = at_++;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (kPlain[static_cast<unsigned char>(c)]) {
        ++at_;
      } else if (c == '"') {
        ++at_;
        return true;
      } else if (c == '\\') {
        if (escaped) *escaped = true;
        if (!ScanEscape()) return false;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        return Fail("control character in a string");
      } else {
        const size_t bytes = Utf8SequenceBytes(text_.substr(at_));
        if (bytes == 0) return Fail("invalid UTF-8");
        at_ += bytes;
      }
    }
    return Fail("string without an end", start);
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

  // The number of the \uxxxx at this offset; nullopt if there is none.
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

  // REQUIRES: the inside of a string that ScanString has passed.
  static std::string Unescape(std::string_view raw) {
    constexpr std::string_view kLetters = "bfnrt";
    constexpr std::string_view kMeanings = "\b\f\n\r\t";
    std::string text;
    for (size_t i = 0; i < raw.size();) {
      if (raw[i] != '\\') {
        text.push_back(raw[i++]);
      } else if (raw[i + 1] != 'u') {
        const size_t letter = kLetters.find(raw[i + 1]);
        text.push_back(letter == std::string_view::npos ? raw[i + 1] : kMeanings[letter]);
        i += 2;
      } else {
        unsigned point = HexUnitOf(raw, i).value_or(0);
        i += 6;
        if (IsHighSurrogate(point)) {
          point =
              0x10000 + ((point - 0xD800) << 10) + (HexUnitOf(raw, i).value_or(0xDC00) - 0xDC00);
          i += 6;
        }
        AppendUtf8(text, point);
      }
    }
    return text;
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
    numbers_.push_back(text_.substr(start, at_ - start));
    return true;
  }

  std::string_view text_;
  size_t max_depth_;
  size_t max_values_;
  size_t at_ = 0;
  size_t values_ = 0;
  std::vector<std::string_view> numbers_;
  std::vector<Key> keys_;              // Of all objects that are open, innermost last.
  std::deque<std::string> unescaped_;  // What Key::text points to if the key has escapes; a deque
                                       // never moves its elements.
  std::string what_;
  size_t where_ = 0;
};
}  // namespace

Result<std::vector<std::string_view>> Scan(std::string_view text, const Limits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error{ErrorCode::kRejected, fmt::format("json: {} bytes, over the limit of {}",
                                                   text.size(), limits.max_bytes)};
  }
  Scanner scanner(text, limits);
  if (!scanner.Run()) return scanner.error();
  return scanner.TakeNumbers();
}

}  // namespace tidegate::json
