#include <unistd.h>

#include <algorithm>

#include "core/ascii.h"
#include "reader/config/loader.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kEnrichPrefix = "TIDEGATE_ENRICH_";
}

void Loader::LoadEnrichment() {
  std::vector<EnrichSource>& sources = config_.enrichment.sources;
  for (const auto& [suffix, found] : environment_.WithPrefix(kEnrichPrefix)) {
    const std::string variable = std::string(kEnrichPrefix) + suffix;
    Show(variable, found.value, found.origin);
    auto source = ParseEnrichSource(AsciiLower(suffix), found.value);
    if (!source.ok()) {
      Problem(found.origin, source.error().message);
      continue;
    }
    if (!source->stream.empty() &&
        std::ranges::count(config_.streams, source->stream, &Stream::name) == 0)
      Problem(found.origin, fmt::format("there is no stream '{}'", source->stream));
    if (std::ranges::count(sources, source->into, &EnrichSource::into) > 0)
      Problem(found.origin, fmt::format("another source has into={} already", source->into));
    if (!source->ca_file.empty() && ::access(source->ca_file.c_str(), R_OK) != 0)
      Problem(found.origin, fmt::format("ca={} cannot be read", source->ca_file));
    if (!source->url.https())
      config_.warnings.push_back(
          fmt::format("{}: http:// can be read and changed on the way", variable));
    sources.push_back(std::move(source).value());
  }
}

}  // namespace tidegate::reader
