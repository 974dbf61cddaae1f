#include "core/metrics.h"

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <stdexcept>

#include "core/check.h"

namespace tidegate {

namespace {
// prometheus-cpp throws when another kind of metric has the name, and when the format does not
// allow a name or a label.
template <typename Builder, typename... Bounds>
auto& Register(Builder builder, const std::string& name, const std::string& help,
               prometheus::Registry& registry, const Metrics::Labels& labels,
               const Bounds&... bounds) {
  try {
    return builder.Name(name).Help(help).Register(registry).Add(labels, bounds...);
  } catch (const std::invalid_argument&) {
    CheckFailed(name.c_str(), "a metric's name is valid and of one kind", __FILE__, __LINE__);
  }
}
}  // namespace

Metrics::Metrics() : registry_(std::make_unique<prometheus::Registry>()) {}
Metrics::~Metrics() = default;

Metrics::Counter& Metrics::AddCounter(const std::string& name, const std::string& help,
                                      const Labels& labels) {
  return Register(prometheus::BuildCounter(), name, help, *registry_, labels);
}

Metrics::Gauge& Metrics::AddGauge(const std::string& name, const std::string& help,
                                  const Labels& labels) {
  return Register(prometheus::BuildGauge(), name, help, *registry_, labels);
}

Metrics::Histogram& Metrics::AddHistogram(const std::string& name, const std::string& help,
                                          const std::vector<double>& bounds, const Labels& labels) {
  CHECK(std::ranges::is_sorted(bounds), "the buckets' bounds ascend");
  return Register(prometheus::BuildHistogram(), name, help, *registry_, labels, bounds);
}

void Metrics::BeforeExport(std::function<void()> update) {
  updates_.push_back(std::move(update));
}

std::string Metrics::Text() const {
  for (const auto& update : updates_) update();
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace tidegate
