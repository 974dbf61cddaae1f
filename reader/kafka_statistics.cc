#include "reader/kafka_statistics.h"

#include <algorithm>
#include <string>

#include "core/json/json.h"

namespace tidegate::reader {

namespace {
// A thousand partitions with some sixty figures each.
constexpr json::Limits kLimits{
    .max_bytes = 16 * 1024 * 1024, .max_depth = 16, .max_values = 500'000};

bool AnyBrokerUp(json::Value root) {
  const auto brokers = root.Find("brokers");
  if (!brokers) return false;
  for (auto broker = brokers->First(); broker; broker = broker->Next()) {
    const auto state = broker->Find("state");
    const auto node = broker->Find("nodeid");
    // Logical brokers, such as the group's coordinator, have the id -1; bootstrap servers too,
    // until they are known.
    if (state && state->is_string() && state->as_string() == "UP" && node && node->is_number())
      return true;
  }
  return false;
}

int64_t Figure(json::Value partition, std::string_view name) {
  const auto figure = partition.Find(name);
  return figure && figure->is_number() ? static_cast<int64_t>(figure->as_number()) : -1;
}

void ReadPartition(json::Value partition, std::string_view topic, std::vector<PartitionLag>& lag) {
  const int64_t number = Figure(partition, "partition");
  const int64_t stored = Figure(partition, "consumer_lag_stored");
  const int64_t messages = stored >= 0 ? stored : Figure(partition, "consumer_lag");
  if (number >= 0 && messages >= 0)
    lag.push_back({{std::string(topic), static_cast<int32_t>(number)}, messages});
}
}  // namespace

KafkaStatistics ReadStatistics(std::string_view text) {
  KafkaStatistics statistics;
  const auto document = json::Document::Parse(text, kLimits);
  if (!document.ok()) return statistics;
  const json::Value root = document->root();
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
