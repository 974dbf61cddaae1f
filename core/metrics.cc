#include "core/metrics.h"

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace tidegate {

Metrics::Metrics() : registry_(std::make_unique<prometheus::Registry>()) {}
Metrics::~Metrics() = default;

Metrics::Counter& Metrics::AddCounter(const std::string& name, const std::string& help,
                                      const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add(labels);
}

Metrics::Gauge& Metrics::AddGauge(const std::string& name, const std::string& help,
                                  const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(labels);
}

Metrics::Histogram& Metrics::AddHistogram(const std::string& name, const std::string& help,
                                          const std::vector<double>& bounds, const Labels& labels) {
  return prometheus::BuildHistogram()
      .Name(name)
      .Help(help)
      .Register(*registry_)
      .Add(labels, bounds);
}

void Metrics::BeforeExport(std::function<void()> update) {
  updates_.push_back(std::move(update));
}

std::string Metrics::Text() const {
  for (const auto& update : updates_) update();
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace tidegate
