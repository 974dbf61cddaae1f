#include <unistd.h>

#include <algorithm>

#include "core/ascii.h"
#include "reader/config/loader.h"
#include "reader/enrich/enrich_header.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kEnrichPrefix = "TIDEGATE_ENRICH_";
constexpr std::string_view kCredentialBegin = "enrich.";
constexpr std::string_view kCredentialEnd = ".header";

// Returns the source of the credential enrich.<name>.header; empty if it is another credential.
std::string_view SourceOfCredential(std::string_view name) {
  if (name.size() <= kCredentialBegin.size() + kCredentialEnd.size()) return {};
  if (!name.starts_with(kCredentialBegin) || !name.ends_with(kCredentialEnd)) return {};
  name.remove_suffix(kCredentialEnd.size());
  return name.substr(kCredentialBegin.size());
}

// Returns a parameter of a URL with *** for its value, unless a field supplies it.
std::string ShownParameter(std::string_view parameter) {
  const size_t equals = parameter.find('=');
  const size_t begin = equals == std::string_view::npos ? 1 : equals + 1;
  const std::string_view value = parameter.substr(begin);
  if (value.empty() || (value.front() == '{' && value.find('}') == value.size() - 1))
    return std::string(parameter);
  return std::string(parameter.substr(0, begin)) + "***";
}

// Returns the URL with *** for what may be a secret: a user before '@', and the values of its
// parameters, such as the key of an API.
std::string ShownUrl(std::string_view url) {
  std::string shown;
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) {
    shown = "***";
    url.remove_prefix(at);
  }
  const size_t query = std::min(url.find_first_of("?#"), url.size());
  shown += url.substr(0, query);
  url.remove_prefix(query);
  while (!url.empty()) {
    const size_t end = std::min(url.find('&', 1), url.size());
    shown += ShownParameter(url.substr(0, end));
    url.remove_prefix(end);
  }
  return shown;
}

// Returns the setting with *** for what may be a secret. The URL may stand in the wrong place, and
// what is no option may be a part of it.
std::string ShownSource(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const size_t mark = word.find('=');
    const bool is_option = mark != std::string_view::npos && IsEnrichOption(word.substr(0, mark));
    const bool is_url =
        word.find("://") != std::string_view::npos || word.find('@') != std::string_view::npos;
    if (!shown.empty()) shown += ' ';
    if (is_url || (shown.empty() && !is_option)) {
      shown += ShownUrl(word);
    } else {
      shown += is_option ? word : "***";
    }
  }
  return shown;
}
}  // namespace

void Loader::LoadEnrichment() {
  std::vector<EnrichSource>& sources = config_.enrichment.sources;
  for (const auto& [suffix, found] : environment_.WithPrefix(kEnrichPrefix)) {
    Show(std::string(kEnrichPrefix) + suffix, ShownSource(found.value), found.origin);
    auto source = ParseEnrichSource(AsciiLower(suffix), found.value);
    if (!source.ok()) {
      Problem(found.origin, source.error().message);
      continue;
    }
    CheckEnrichSource(*source, found.origin);
    sources.push_back(std::move(source).value());
  }
  LoadEnrichHeaders();
}

void Loader::CheckEnrichSource(const EnrichSource& source, const std::string& origin) {
  if (!source.stream.empty() &&
      std::ranges::count(config_.streams, source.stream, &Stream::name) == 0)
    Problem(origin, fmt::format("there is no stream '{}'", source.stream));
  if (std::ranges::count(config_.enrichment.sources, source.into, &EnrichSource::into) > 0)
    Problem(origin, fmt::format("another source has into={} already", source.into));
  if (!source.ca_file.empty() && ::access(source.ca_file.c_str(), R_OK) != 0)
    Problem(origin, fmt::format("ca={} cannot be read", source.ca_file));
  if (!source.url.https())
    config_.warnings.push_back(
        fmt::format("{}: http:// can be read and changed on the way", origin));
  const auto& tenants = config_.decoder.tenants;
  if (source.tenant.empty() && !source.url.names_tenant() && tenants.size() != 1) {
    Problem(origin,
            "two tenants may have devices of the same name: put {tenant_id} into the URL, or say "
            "tenant=<name>, or tenant=* if the answer is the same for every tenant");
  }
  if (!source.tenant.empty() && source.tenant != "*" && !tenants.empty() &&
      !tenants.contains(source.tenant))
    Problem(origin, fmt::format("tenant={} is not an allowed tenant", source.tenant));
}

void Loader::LoadEnrichHeaders() {
  for (const std::string& name : credentials_.Names()) {
    const std::string_view source_name = SourceOfCredential(name);
    if (source_name.empty()) continue;
    const std::string origin = "credential " + name;
    auto& sources = config_.enrichment.sources;
    const auto source = std::ranges::find(sources, source_name, &EnrichSource::name);
    const auto credential = credentials_.Read(name);
    if (!credential.ok()) {
      Problem(origin, credential.error().message);
    } else if (source == sources.end()) {
      Problem(origin, fmt::format("there is no {}{}", kEnrichPrefix, AsciiUpper(source_name)));
    } else if (!source->url.https()) {
      Problem(origin, "would be sent unencrypted: the source needs https://");
    } else if (auto headers = ParseEnrichHeaders(credential->value_or("")); !headers.ok()) {
      Problem(origin, headers.error().message);
    } else {
      source->headers = std::move(headers).value();
      Show(origin, fmt::format("{} headers", source->headers.size()), origin);
    }
  }
}

}  // namespace tidegate::reader
