#include "reader/enrich/enrich_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/ascii.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxHeaderBytes = 8 * 1024;
// What the client library sends itself: another value would change where a request ends or goes.
constexpr std::array<std::string_view, 6> kOwnHeaders{
    "host", "content-length", "transfer-encoding", "connection", "upgrade", "expect"};

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// Returns what is wrong with the line; empty: nothing.
std::string_view WrongWith(std::string_view line) {
  if (line.size() > kMaxHeaderBytes) return "is over 8 KiB";
  const size_t colon = line.find(':');
  const std::string name = AsciiLower(line.substr(0, colon));
  if (colon == std::string_view::npos || name.empty() ||
      !std::ranges::all_of(name, IsNameCharacter))
    return "is not of the form 'Name: value'";
  if (std::ranges::count(kOwnHeaders, name) > 0) return "has a name that the request itself needs";
  const std::string_view value = line.substr(colon + 1);
  if (value.find_first_not_of(" \t") == std::string_view::npos) return "has no value";
  const auto allowed = [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); };
  return std::ranges::all_of(value, allowed) ? "" : "has characters other than visible ASCII";
}
}  // namespace

Result<std::vector<std::string>> ParseEnrichHeaders(std::string_view text) {
  const auto invalid = [](std::string message) {
    return Error{ErrorCode::kInvalid, std::move(message)};
  };
  std::vector<std::string> headers;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (const auto wrong = WrongWith(line); !wrong.empty())
      return invalid(fmt::format("line {} {}", number, wrong));
    if (headers.size() == kMaxEnrichHeaders)
      return invalid(fmt::format("has more than {} headers", kMaxEnrichHeaders));
    headers.emplace_back(line);
  }
  if (headers.empty()) return invalid("has no header");
  return headers;
}

}  // namespace tidegate::reader
