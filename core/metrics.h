// Named counters, gauges and histograms, exported in the Prometheus text format. A module adds its
// metrics once, in its constructor, and keeps the references, which are valid as long as the
// Metrics object lives. Any thread may add and change metrics; BeforeExport() and Text() are called
// on one.
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

  // Adding the same name and labels again returns the same object. REQUIRES: the names are valid in
  // the Prometheus format, and one name is one kind of metric.
  Counter& AddCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& AddGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // `bounds` are the buckets' upper bounds in the metric's unit. REQUIRES: they ascend.
  Histogram& AddHistogram(const std::string& name, const std::string& help,
                          const std::vector<double>& bounds, const Labels& labels = {});

  // Calls `update` at the beginning of each Text(), to set gauges that are costly to keep current.
  void BeforeExport(std::function<void()> update);

  // Returns all metrics in the text exposition format, version 0.0.4.
  std::string Text() const;

 private:
  std::unique_ptr<prometheus::Registry> registry_;
  std::vector<std::function<void()>> updates_;
};

}  // namespace tidegate
