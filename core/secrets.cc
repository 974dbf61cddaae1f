#include "core/secrets.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"

namespace tidegate {

namespace {

constexpr std::string_view kHidden = "(hidden)";
constexpr std::array<std::string_view, 5> kSecretNames{"pass", "pw", "secret", "token",
                                                       "credential"};

bool IsSecretName(std::string_view name) {
  const std::string lower = AsciiLower(name);
  return std::ranges::any_of(
      kSecretNames, [&](std::string_view part) { return lower.find(part) != std::string::npos; });
}

// Returns the size of the scheme and the slashes at the front of a URI, however many there are.
size_t SchemeSize(std::string_view text) {
  const size_t end =
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");
  if (end == std::string_view::npos || text[end] != ':' || end + 1 >= text.size()) return 0;
  if (text[end + 1] != '/') return 0;
  return std::min(text.find_first_not_of('/', end + 1), text.size());
}

std::string HideUser(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(text);
  const size_t scheme = SchemeSize(text.substr(0, at));
  if (text.substr(scheme, at - scheme).find(':') == std::string_view::npos)
    return std::string(text);
  return std::string(text.substr(0, scheme)).append(kHidden).append(text.substr(at));
}

}  // namespace

std::string HideSecrets(std::string_view text) {
  const std::string shown = HideUser(text);
  std::string out;
  for (size_t begin = 0; begin <= shown.size();) {
    const size_t end = std::min(shown.find_first_of("?&;, ", begin), shown.size());
    const std::string_view part = std::string_view(shown).substr(begin, end - begin);
    const size_t equals = part.find('=');
    const bool secret = equals != std::string_view::npos && IsSecretName(part.substr(0, equals));
    out.append(secret ? part.substr(0, equals + 1) : part);
    if (secret) out.append(kHidden);
    if (end < shown.size()) out.push_back(shown[end]);
    begin = end + 1;
  }
  return out;
}

}  // namespace tidegate
