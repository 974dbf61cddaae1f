#include "reader/consume/kafka_statistics.h"

#include <algorithm>
#include <string>

#include "core/json/tree.h"

namespace tidegate::reader {

namespace {
// Thirty thousand partitions with some sixty figures each.
constexpr json::Limits kLimits{
    .max_bytes = 64 * 1024 * 1024, .max_depth = 16, .max_values = 2'000'000};

bool AnyBrokerUp(json::Item root) {
  const auto brokers = root.Find("brokers");
  if (!brokers) return false;
  for (auto broker = brokers->First(); broker; broker = broker->Next()) {
    // Logical brokers, such as the group's coordinator, have the id -1; bootstrap servers too,
    // until they are known.
    const auto state = broker->Text("state");
    if (state.ok() && *state == "UP" && broker->Number("nodeid").ok()) return true;
  }
  return false;
}

int64_t Figure(json::Item partition, std::string_view name) {
  const auto figure = partition.Integer(name);
  return figure.ok() ? *figure : -1;
}

bool IsFetched(json::Item partition) {
  const auto state = partition.Text("fetch_state");
  return state.ok() && *state != "none" && *state != "stopping" && *state != "stopped";
}

// The library knows no lag before the first commit or stored offset: then it is all that the
// partition holds.
int64_t LagOf(json::Item partition) {
  for (std::string_view name : {"consumer_lag_stored", "consumer_lag"}) {
    if (const int64_t lag = Figure(partition, name); lag >= 0) return lag;
  }
  const int64_t end = Figure(partition, "hi_offset");
  return end < 0 ? -1 : end - std::max<int64_t>(Figure(partition, "lo_offset"), 0);
}

void ReadPartition(json::Item partition, std::string_view topic, std::vector<PartitionLag>& lag) {
  const int64_t number = Figure(partition, "partition");
  if (number < 0 || !IsFetched(partition)) return;
  if (const int64_t messages = LagOf(partition); messages >= 0) {
    lag.push_back({{std::string(topic), static_cast<int32_t>(number)}, messages});
  }
}
}  // namespace

std::optional<KafkaStatistics> ReadStatistics(std::string_view text) {
  KafkaStatistics statistics;
  const auto tree = json::Tree::Parse(text, kLimits);
  if (!tree.ok()) return std::nullopt;
  const json::Item root = tree->root();
  statistics.brokers_up = AnyBrokerUp(root);
  const auto topics = root.Find("topics");
  if (!topics) return statistics;
  for (auto topic = topics->First(); topic; topic = topic->Next()) {
    const auto partitions = topic->Find("partitions");
    if (!partitions) continue;
    for (auto partition = partitions->First(); partition; partition = partition->Next()) {
      ReadPartition(*partition, topic->key(), statistics.lag);
    }
  }
  return statistics;
}

}  // namespace tidegate::reader
