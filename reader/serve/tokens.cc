#include "reader/serve/tokens.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/record.h"

namespace tidegate::reader {

namespace {
using Digest = std::array<uint8_t, 32>;
constexpr std::string_view kDigest = "sha256:";
constexpr std::string_view kBearer = "bearer ";

Error InvalidToken(std::string text) {
  return {ErrorCode::kInvalid, std::move(text)};
}

std::optional<Digest> Sha256(std::string_view text) {
  Digest digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    return std::nullopt;
  return digest;
}

std::optional<Digest> DigestFromHex(std::string_view hex) {
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    const char* begin = hex.data() + 2 * i;
    const auto [end, error] = std::from_chars(begin, begin + 2, digest[i], 16);
    if (error != std::errc{} || end != begin + 2) return std::nullopt;
  }
  return digest;
}

std::string_view NextWord(std::string_view& text) {
  const size_t begin = std::min(text.find_first_not_of(" \t\r"), text.size());
  text.remove_prefix(begin);
  const size_t end = std::min(text.find_first_of(" \t\r"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

bool IsVisible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

Result<Digest> DigestOf(std::string_view word) {
  if (word.starts_with(kDigest)) {
    const auto digest = DigestFromHex(word.substr(kDigest.size()));
    if (!digest) return InvalidToken("sha256: needs 64 hexadecimal digits");
    return *digest;
  }
  if (word.size() < TokenTable::kMinTokenBytes || word.size() > TokenTable::kMaxTokenBytes ||
      !IsVisible(word)) {
    return InvalidToken(fmt::format("a token has {} to {} visible ASCII characters",
                                    TokenTable::kMinTokenBytes, TokenTable::kMaxTokenBytes));
  }
  const auto digest = Sha256(word);
  if (!digest) return InvalidToken("SHA-256 is not available");
  return *digest;
}

Status SetTenants(std::string_view text, Principal& principal) {
  principal.every_tenant = text == "*";
  if (principal.every_tenant) return {};
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view tenant = text.substr(0, comma);
    if (!IsTenantName(tenant))
      return InvalidToken(fmt::format("{:?} is not the name of a tenant", tenant));
    principal.tenants.emplace(tenant);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return {};
}

Status SetRole(std::string_view text, Principal& principal) {
  if (text != "read" && text != "admin")
    return InvalidToken(fmt::format("role {:?} is neither read nor admin", text));
  principal.role = text == "admin" ? Role::kAdmin : Role::kRead;
  return {};
}
}  // namespace

Result<TokenTable::Entry> TokenTable::ParseLine(std::string_view line) {
  Entry entry;
  const auto digest = DigestOf(NextWord(line));
  if (!digest.ok()) return digest.error();
  entry.first = *digest;
  bool has_role = false;
  for (std::string_view word = NextWord(line); !word.empty(); word = NextWord(line)) {
    Status status;
    if (word.starts_with("tenants=")) {
      status = SetTenants(word.substr(8), entry.second);
    } else if (word.starts_with("role=")) {
      status = SetRole(word.substr(5), entry.second);
      has_role = true;
    } else {
      status = InvalidToken("only tenants= and role= follow a token");
    }
    if (!status.ok()) return status.error();
  }
  if (!entry.second.every_tenant && entry.second.tenants.empty())
    return InvalidToken("it has no tenants=");
  if (!has_role) return InvalidToken("it has no role=");
  return entry;
}

Result<TokenTable> TokenTable::Parse(std::string_view text) {
  TokenTable table;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string_view rest = line;
    const std::string_view first = NextWord(rest);
    if (first.empty() || first.starts_with('#')) continue;
    auto entry = ParseLine(line);
    if (!entry.ok()) return InvalidToken(fmt::format("line {}: {}", number, entry.error().message));
    if (!table.principals_.insert(std::move(entry).value()).second)
      return InvalidToken(fmt::format("line {}: the token is on an earlier line too", number));
  }
  if (table.principals_.empty()) return InvalidToken("there is no token in it");
  return table;
}

const Principal* TokenTable::Find(std::string_view authorization, std::string* name) const {
  if (authorization.size() <= kBearer.size() ||
      authorization.size() > kBearer.size() + kMaxTokenBytes) {
    return nullptr;
  }
  const auto same_letter = [](char letter, char c) { return letter == (c | 0x20); };
  if (!std::ranges::equal(kBearer.substr(0, 6), authorization.substr(0, 6), same_letter) ||
      authorization[6] != ' ') {
    return nullptr;
  }
  const auto digest = Sha256(authorization.substr(kBearer.size()));
  if (!digest) return nullptr;
  const auto found = principals_.find(*digest);
  if (found == principals_.end()) return nullptr;
  if (name != nullptr)
    *name = fmt::format("{:02x}{:02x}{:02x}{:02x}", (*digest)[0], (*digest)[1], (*digest)[2],
                        (*digest)[3]);
  return &found->second;
}

}  // namespace tidegate::reader
