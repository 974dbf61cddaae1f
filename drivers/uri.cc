#include "drivers/uri.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tidegate {
namespace {

bool IsAlpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

Error Invalid(std::string_view what) {
  return Error{ErrorCode::kInvalid, "parse input URI: " + std::string(what)};
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// nullopt: a '%' without two hex digits, or a control character, written plainly or encoded.
std::optional<std::string> Decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    decoded.push_back(c);
  }
  return decoded;
}

// Cuts the text up to the first of `stops` off the front of `rest`; the stop itself stays in
// `rest`.
std::string_view TakeUntil(std::string_view& rest, std::string_view stops) {
  const size_t end = std::min(rest.find_first_of(stops), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(end);
  return taken;
}

Status ParseScheme(std::string_view& rest, Uri& uri) {
  const std::string_view scheme = TakeUntil(rest, ":/?#");
  const bool well_formed = !scheme.empty() && IsAlpha(scheme.front()) &&
                           std::all_of(scheme.begin(), scheme.end(), [](char c) {
                             return IsAlpha(c) || IsDigit(c) || c == '+' || c == '-' || c == '.';
                           });
  if (!well_formed || !rest.starts_with(':')) {
    return Invalid("it has to begin with a scheme such as mqtt: or serial:");
  }
  rest.remove_prefix(1);
  uri.scheme.resize(scheme.size());
  std::transform(scheme.begin(), scheme.end(), uri.scheme.begin(), ToLower);
  return {};
}

// Comes before everything that could tell a part of the password as a path or a query. The
// authority itself is judged by ParseUser.
Status RefuseSplitPassword(std::string_view rest) {
  const size_t at = rest.rfind('@');
  const size_t authority_end = rest.starts_with("//") ? rest.find_first_of("/?", 2) : 0;
  if (at == std::string_view::npos || at < authority_end) return {};
  if (rest.substr(0, at).find(':') == std::string_view::npos) return {};
  return Invalid(
      "a colon before an at sign looks like a password, which is refused, give it as a credential; "
      "in a topic or a value, write %40 for an at sign");
}

Status ParsePort(std::string_view text, Uri& uri) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535) {
    return Invalid("the port has to be a number from 1 to 65535");
  }
  uri.port = static_cast<uint16_t>(port);
  return {};
}

Status ParseUser(std::string_view text, Uri& uri) {
  if (text.find(':') != std::string_view::npos) {
    return Invalid("a password in the URI is refused, give it as a credential");
  }
  std::optional<std::string> user = Decode(text);
  if (!user.has_value() || user->empty()) return Invalid("the user before '@' is malformed");
  uri.user = std::move(*user);
  return {};
}

Status ParseHost(std::string_view text, Uri& uri) {
  std::string_view rest = text;
  if (rest.starts_with('[')) {
    const size_t end = rest.find(']');
    if (end == std::string_view::npos) return Invalid("the IPv6 address lacks its ']'");
    uri.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!rest.empty() && rest.front() != ':') return Invalid("only a port may follow ']'");
  } else {
    std::optional<std::string> host = Decode(TakeUntil(rest, ":"));
    if (!host.has_value()) return Invalid("the host is malformed");
    uri.host = std::move(*host);
  }
  if (rest.empty()) return {};
  if (uri.host.empty()) return Invalid("a port needs a host");
  return ParsePort(rest.substr(1), uri);
}

Status ParseAuthority(std::string_view text, Uri& uri) {
  const size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    if (Status status = ParseUser(text.substr(0, at), uri); !status) return status;
    text.remove_prefix(at + 1);
    if (text.empty()) return Invalid("a user needs a host");
  }
  return ParseHost(text, uri);
}

Status ParseQuery(std::string_view rest, Uri& uri) {
  while (!rest.empty()) {
    const std::string_view pair = TakeUntil(rest, "&");
    if (!rest.empty()) rest.remove_prefix(1);
    const size_t equals = std::min(pair.find('='), pair.size());
    std::optional<std::string> name = Decode(pair.substr(0, equals));
    std::optional<std::string> value =
        Decode(equals < pair.size() ? pair.substr(equals + 1) : std::string_view());
    if (!name.has_value() || !value.has_value() || name->empty()) {
      return Invalid("the query is malformed: it has to be ?name=value&name=value");
    }
    if (const auto [at, fresh] = uri.query.emplace(std::move(*name), std::move(*value)); !fresh) {
      return Invalid("the query has '" + at->first + "' twice");
    }
  }
  return {};
}

}  // namespace

Result<Uri> ParseUri(std::string_view text) {
  Uri uri;
  if (Status status = ParseScheme(text, uri); !status) return status.error();
  if (Status status = RefuseSplitPassword(text); !status) return status.error();
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    if (Status status = ParseAuthority(TakeUntil(text, "/?"), uri); !status) return status.error();
  }
  std::optional<std::string> path = Decode(TakeUntil(text, "?"));
  if (!path.has_value()) {
    return Invalid("the path has a '%' without two hex digits, or a control character");
  }
  uri.path = std::move(*path);
  if (text.empty()) return uri;
  if (Status status = ParseQuery(text.substr(1), uri); !status) return status.error();
  return uri;
}

}  // namespace tidegate
