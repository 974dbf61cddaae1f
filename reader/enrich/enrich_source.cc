#include "reader/enrich/enrich_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"
#include "core/quantity.h"
#include "core/record.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr size_t kMaxTemplateBytes = 1'024;
constexpr size_t kMaxNameBytes = 32;
constexpr std::string_view kTenantField = "tenant_id";
constexpr std::string_view kEveryTenant = "*";
constexpr std::array<std::string_view, 8> kOptions{"key",    "into",   "ttl",           "timeout",
                                                   "stream", "tenant", "allow_private", "ca"};
constexpr milliseconds kLeast{10};
constexpr milliseconds kMostTimeout = std::chrono::minutes(1);
constexpr milliseconds kMostTtl = std::chrono::hours(24 * 30);

Error Invalid(std::string message) {
  return {ErrorCode::kInvalid, std::move(message)};
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::string PercentEncoded(std::string_view value) {
  std::string encoded;
  // A value of dots alone would be a step in the path.
  const bool dots = value.find_first_not_of('.') == std::string_view::npos;
  for (char c : value) {
    if (IsPlain(c) || c == '~' || (c == '.' && !dots)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

bool IsMemberName(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, IsPlain);
}

bool IsSourceName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool IsUrlCharacter(char c) {
  return c > ' ' && c < '\x7f' && c != '"' && c != '<' && c != '>' && c != '\\' && c != '#';
}

// Returns where the host begins and ends; nullopt for another scheme.
std::optional<std::pair<size_t, size_t>> HostOf(std::string_view text) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (!text.starts_with(scheme)) continue;
    return std::pair{scheme.size(), std::min(text.find_first_of("/?", scheme.size()), text.size())};
  }
  return std::nullopt;
}

// Members that the landing itself makes.
bool IsReserved(std::string_view member) {
  static constexpr std::array<std::string_view, 5> kReserved{"_id", "tidegate", "tenant_id",
                                                             "asset_id", "timestamp"};
  return std::ranges::count(kReserved, member) > 0;
}

Status ReadDuration(std::string_view name, std::string_view text, milliseconds most,
                    milliseconds& duration) {
  const auto parsed = ParseDuration(text);
  if (!parsed || *parsed < kLeast || *parsed > most) {
    return Invalid(fmt::format("{} is not a duration from {} to {}", name, FormatDuration(kLeast),
                               FormatDuration(most)));
  }
  duration = *parsed;
  return {};
}

Status ReadOption(std::string_view name, std::string_view value, EnrichSource& source) {
  if (name == "ttl") return ReadDuration(name, value, kMostTtl, source.ttl);
  if (name == "timeout") return ReadDuration(name, value, kMostTimeout, source.timeout);
  if (name == "allow_private") {
    if (value != "yes" && value != "no") return Invalid("allow_private is neither yes nor no");
    source.allow_private = value == "yes";
    return {};
  }
  if (name == "ca") {
    if (!value.starts_with('/')) return Invalid("ca is no absolute path of a file");
    source.ca_file = value;
    return {};
  }
  if (name == "tenant") {
    if (value != kEveryTenant && !IsTenantName(value))
      return Invalid("tenant is neither the name of a tenant nor *");
    source.tenant = value;
    return {};
  }
  std::string* member = name == "key"      ? &source.key
                        : name == "into"   ? &source.into
                        : name == "stream" ? &source.stream
                                           : nullptr;
  CHECK(member, "every option is read");
  if (!IsMemberName(value))
    return Invalid(
        fmt::format("{} has other characters than A-Z a-z 0-9 _ -, or none, or over 64", name));
  *member = value;
  return {};
}

Status Check(EnrichSource& source) {
  if (source.key.empty()) source.key = source.url.field();
  if (source.key != source.url.field())
    return Invalid(
        fmt::format("the URL has {{{}}} and the key is '{}'", source.url.field(), source.key));
  if (source.into.empty()) return Invalid("into=<field> is missing");
  if (IsReserved(source.into))
    return Invalid(fmt::format("into='{}' is the landing's own name", source.into));
  if (!source.ca_file.empty() && !source.url.https()) return Invalid("ca is for https:// alone");
  if (source.into == source.key) return Invalid("into and key are the same member");
  return {};
}
}  // namespace

Result<UrlTemplate> UrlTemplate::Parse(std::string_view text) {
  if (text.size() > kMaxTemplateBytes)
    return Invalid(fmt::format("the URL has over {} bytes", kMaxTemplateBytes));
  const auto host = HostOf(text);
  if (!host) return Invalid("the URL begins with neither https:// nor http://");
  if (host->first == host->second) return Invalid("the URL names no host");
  if (!std::ranges::all_of(text, IsUrlCharacter))
    return Invalid("the URL has characters that must be percent-encoded");
  if (text.substr(host->first, host->second - host->first).find_first_of("@{}") !=
      std::string_view::npos)
    return Invalid("neither a user nor {field} may stand in the URL's host");
  UrlTemplate parsed;
  for (size_t at = 0; (at = text.find_first_of("{}", at)) != std::string_view::npos;) {
    const size_t end = text.find('}', at);
    if (text[at] == '}' || end == std::string_view::npos)
      return Invalid("the URL's braces do not match");
    const std::string_view field = text.substr(at + 1, end - at - 1);
    if (!IsMemberName(field)) return Invalid("the URL needs the name of a member in its braces");
    at = end + 1;
    if (field == kTenantField) {
      parsed.names_tenant_ = true;
      continue;
    }
    if (!parsed.field_.empty() && parsed.field_ != field)
      return Invalid("the URL has two different fields beside {tenant_id}");
    parsed.field_ = field;
  }
  if (parsed.field_.empty() && parsed.names_tenant_) parsed.field_ = kTenantField;
  if (parsed.field_.empty()) return Invalid("the URL has no {field}");
  parsed.text_ = text;
  return parsed;
}

std::string UrlTemplate::Expand(const EnrichKey& key) const {
  CHECK(!field_.empty(), "a template is expanded after it was parsed");
  std::string url;
  std::string_view rest = text_;
  // Piece by piece: a value that looks like a field is not expanded again.
  for (size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
    const size_t close = rest.find('}', open);
    const std::string_view field = rest.substr(open + 1, close - open - 1);
    url += rest.substr(0, open);
    url += PercentEncoded(field == kTenantField ? key.tenant : key.value);
    rest.remove_prefix(close + 1);
  }
  return url += rest;
}

Result<EnrichSource> ParseEnrichSource(std::string_view name, std::string_view text) {
  if (!IsSourceName(name))
    return Invalid(fmt::format("'{}' is no name: 1 to {} of a-z 0-9 _", name, kMaxNameBytes));
  EnrichSource source;
  source.name = name;
  bool has_url = false;
  int words = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    ++words;
    if (!has_url) {
      auto url = UrlTemplate::Parse(word);
      if (!url.ok()) return url.error();
      source.url = std::move(url).value();
      has_url = true;
      continue;
    }
    const size_t mark = std::min(word.find('='), word.size());
    if (mark == word.size() || !IsEnrichOption(word.substr(0, mark)))
      return Invalid(fmt::format("word {} sets none of {}", words, fmt::join(kOptions, ", ")));
    if (Status status = ReadOption(word.substr(0, mark), word.substr(mark + 1), source);
        !status.ok())
      return status.error();
  }
  if (!has_url) return Invalid("it begins with no URL");
  if (Status status = Check(source); !status.ok()) return status.error();
  return source;
}

bool IsEnrichOption(std::string_view name) {
  return std::ranges::count(kOptions, name) > 0;
}

std::optional<EnrichKey> KeyOf(const EnrichSource& source, std::string_view tenant,
                               std::string_view value) {
  if (value.empty() || value.size() > kMaxKeyBytes) return std::nullopt;
  if (!source.tenant.empty() && source.tenant != kEveryTenant && source.tenant != tenant)
    return std::nullopt;
  EnrichKey key{.value = std::string(value)};
  if (!source.url.names_tenant()) return key;
  // Another program may have written a document whose tenant is no name.
  if (!IsTenantName(tenant)) return std::nullopt;
  key.tenant = tenant;
  return key;
}

std::optional<EnrichKey> KeyOf(const EnrichSource& source, const Document& document) {
  const json::Value root = document.value.root();
  if (root.Find(source.into)) return std::nullopt;
  std::string value;
  if (source.key == "asset_id") {
    value = document.asset;
  } else if (source.key == kTenantField) {
    value = document.tenant;
  } else if (const auto member = root.Find(source.key)) {
    if (member->is_string()) value = member->as_string();
    if (member->is_number()) value = member->number_text();
  }
  return KeyOf(source, document.tenant, value);
}

}  // namespace tidegate::reader
