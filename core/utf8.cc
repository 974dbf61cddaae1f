#include "core/utf8.h"

#include <cstdint>
#include <cstring>

namespace tidegate {

namespace {
bool Within(char c, unsigned char first, unsigned char last) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= first && byte <= last;
}
bool IsContinuation(char c) {
  return Within(c, 0x80, 0xBF);
}

// The range of the second byte excludes overlong forms, surrogates and too large numbers (Unicode,
// table 3-7).
bool IsSecondOf(char lead, char second) {
  switch (static_cast<unsigned char>(lead)) {
    case 0xE0:
      return Within(second, 0xA0, 0xBF);
    case 0xED:
      return Within(second, 0x80, 0x9F);
    case 0xF0:
      return Within(second, 0x90, 0xBF);
    case 0xF4:
      return Within(second, 0x80, 0x8F);
    default:
      return IsContinuation(second);
  }
}

// Returns how many bytes at the front are ASCII, in multiples of eight.
size_t AsciiWords(std::string_view text) {
  size_t bytes = 0;
  for (uint64_t word = 0; text.size() - bytes >= sizeof(word); bytes += sizeof(word)) {
    std::memcpy(&word, text.data() + bytes, sizeof(word));
    if ((word & 0x8080808080808080U) != 0) break;
  }
  return bytes;
}
}  // namespace

size_t Utf8SequenceBytes(std::string_view text) {
  if (text.empty()) return 0;
  const char lead = text[0];
  if (Within(lead, 0x00, 0x7F)) return 1;
  const size_t bytes = Within(lead, 0xC2, 0xDF)   ? 2
                       : Within(lead, 0xE0, 0xEF) ? 3
                       : Within(lead, 0xF0, 0xF4) ? 4
                                                  : 0;
  if (bytes == 0 || text.size() < bytes || !IsSecondOf(lead, text[1])) return 0;
  for (size_t i = 2; i < bytes; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  return bytes;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(AsciiWords(text));
    if (text.empty()) return true;
    const size_t bytes = Utf8SequenceBytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string_view Utf8Prefix(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  // No sequence is longer than four bytes.
  for (size_t i = 0; i < 3 && end > 0 && IsContinuation(text[end]); ++i) --end;
  return text.substr(0, IsContinuation(text[end]) ? max_bytes : end);
}

}  // namespace tidegate
