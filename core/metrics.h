// Named counters and gauges, exported in the Prometheus text format. A module asks for its metrics
// once, in its constructor, and keeps the references; they live as long as the Metrics object. Any
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace prometheus {
class Registry;
}

namespace tidegate {

class Metrics {
 public:
  using Counter = prometheus::Counter;
  using Gauge = prometheus::Gauge;
  using Histogram = prometheus::Histogram;
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();

  // The same name and labels give the same object again. REQUIRES: one name is one kind of metric.
  Counter& AddCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& AddGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // `bounds` are the buckets' upper bounds, ascending, in the metric's unit.
  Histogram& AddHistogram(const std::string& name, const std::string& help,
                          const std::vector<double>& bounds, const Labels& labels = {});

  // Called before each export, to set gauges that are costly to keep current.
  void BeforeExport(std::function<void()> update);

  // The text exposition format, version 0.0.4.
  std::string Text() const;

 private:
  std::unique_ptr<prometheus::Registry> registry_;
  std::vector<std::function<void()>> updates_;
};

}  // namespace tidegate
