#include "tests/simulation/oracle.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace tidegate::simulation {

using reader::KafkaLog;
using reader::MemoryDatabase;

namespace {

using Asset = std::pair<std::string, std::string>;  // Tenant, asset.

std::string TextOf(json::Value object, std::string_view name) {
  const auto found = object.Find(name);
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::optional<Arrived> Read(std::string_view text) {
  const auto document = json::Document::Parse(text, {.max_bytes = 1 << 20});
  if (!document.ok() || !document->root().is_object()) return std::nullopt;
  const json::Value root = document->root();
  return Arrived{.tenant = TextOf(root, "tenant_id"),
                 .asset = TextOf(root, "asset_id"),
                 .number = NumberOf(root),
                 .status = TextOf(root, "rule") == kRule ? TextOf(root, "status") : "",
                 .text = std::string(text)};
}

std::string Name(const Vehicle& vehicle) {
  return vehicle.tenant + "/" + vehicle.asset;
}

bool IsHeartbeat(const reader::Partition& partition) {
  return partition.topic.starts_with("fleet.");
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word.substr(0, 1);
  return text;
}

}  // namespace

int64_t NumberOf(json::Value object) {
  auto found = object.Find("n");
  if (!found) {
    const auto data = object.Find("additional_data");
    if (data) found = data->Find("n");
  }
  return found && found->is_number() ? static_cast<int64_t>(found->as_number()) : -1;
}

std::vector<std::string> Oracle::CheckLanded(const MemoryDatabase& database) const {
  std::map<Asset, std::map<int64_t, std::vector<std::string>>> landed;
  for (const auto& [key, body] : database.bodies) {
    const auto arrived = Read(body);
    if (key.ns.collection == "heartbeats" && arrived)
      landed[{arrived->tenant, arrived->asset}][arrived->number].push_back(key.id);
  }
  std::vector<std::string> wrong;
  for (const Vehicle& vehicle : fleet_.vehicles()) {
    auto& numbers = landed[{vehicle.tenant, vehicle.asset}];
    for (const Published& published : vehicle.published) {
      const auto ids = std::exchange(numbers[published.number], {});
      if (ids.size() != 1)
        wrong.push_back(fmt::format("message {} of {} is in the database {} times: {}",
                                    published.number, Name(vehicle), ids.size(),
                                    fmt::join(ids, ", ")));
    }
    for (const auto& [number, ids] : numbers)
      if (!ids.empty())
        wrong.push_back(fmt::format("{} has never sent message {}", Name(vehicle), number));
  }
  return wrong;
}

std::vector<std::string> Oracle::CheckOrder(const KafkaLog& log) const {
  std::map<Asset, std::set<int64_t>> seen;
  std::vector<std::string> wrong;
  for (const auto& [partition, messages] : log.partitions) {
    if (!IsHeartbeat(partition)) continue;
    for (const auto& message : messages) {
      const auto arrived = Read(*message.value);
      if (!arrived || arrived->tenant == kBadTenant) continue;
      std::set<int64_t>& numbers = seen[{arrived->tenant, arrived->asset}];
      if (!numbers.insert(arrived->number).second) continue;  // A copy.
      if (*numbers.rbegin() != arrived->number)
        wrong.push_back(fmt::format("message {} of {}/{} follows message {}", arrived->number,
                                    arrived->tenant, arrived->asset, *numbers.rbegin()));
    }
  }
  return wrong;
}

std::vector<std::string> Oracle::ExpectedAlerts(const Vehicle& vehicle) const {
  std::vector<std::string> alerts;
  bool raised = false;
  for (const Published& published : vehicle.published) {
    const bool change = raised ? published.temperature < 48 : published.temperature > 50;
    if (!change) continue;
    raised = !raised;
    alerts.push_back(raised ? "raised" : "cleared");
  }
  return alerts;
}

std::vector<std::string> Oracle::CheckAlerts(const KafkaLog& log) const {
  std::map<Asset, std::vector<std::string>> alerts;
  std::set<std::string> seen;
  for (const auto& [partition, messages] : log.partitions) {
    if (partition.topic != "telemetry.alerts") continue;
    for (const auto& message : messages) {
      const auto arrived = Read(*message.value);
      if (arrived && !arrived->status.empty() && seen.insert(arrived->text).second)
        alerts[{arrived->tenant, arrived->asset}].push_back(arrived->status);
    }
  }
  std::vector<std::string> wrong;
  for (const Vehicle& vehicle : fleet_.vehicles()) {
    const auto expected = ExpectedAlerts(vehicle);
    const auto& found = alerts[{vehicle.tenant, vehicle.asset}];
    if (found != expected)
      wrong.push_back(fmt::format("the alerts of {} are {}, expected {}", Name(vehicle),
                                  Joined(found), Joined(expected)));
  }
  return wrong;
}

std::vector<std::string> Oracle::CheckProjections(const MemoryDatabase& database) const {
  std::map<Asset, int64_t> documents;
  for (const auto& [key, projection] : database.projections) {
    if (key.ns.collection == "assets")
      documents[{std::string(projection.members.Text("tenant_id")),
                 std::string(projection.members.Text("asset_id"))}] =
          projection.members.Integer("documents");
  }
  std::vector<std::string> wrong;
  for (const Vehicle& vehicle : fleet_.vehicles()) {
    const auto expected = static_cast<int64_t>(vehicle.published.size());
    const int64_t found = documents[{vehicle.tenant, vehicle.asset}];
    if (found != expected)
      wrong.push_back(fmt::format("the registry has {} documents of {}, expected {}", found,
                                  Name(vehicle), expected));
  }
  return wrong;
}

std::vector<std::string> Oracle::CheckNeighbours(const MemoryDatabase& database) const {
  constexpr Neighbour kWellFormed[] = {Neighbour::kFlood, Neighbour::kAbsentTopic,
                                       Neighbour::kDeadDatabase, Neighbour::kSlowPartition};
  std::map<std::string, int64_t> landed;
  for (const auto& [key, body] : database.bodies) {
    const auto arrived = Read(body);
    if (key.ns.collection == "heartbeats" && arrived) ++landed[arrived->asset];
  }
  std::vector<std::string> wrong;
  for (const Neighbour neighbour : kWellFormed) {
    const std::string name = NeighbourName(neighbour);
    const int64_t expected = fleet_.published(neighbour);
    if (landed[name] != expected)
      wrong.push_back(fmt::format("{} messages of {} are in the database, expected {}",
                                  landed[name], name, expected));
  }
  return wrong;
}

std::vector<std::string> Oracle::CheckAll(const MemoryDatabase& database,
                                          const KafkaLog& log) const {
  std::vector<std::string> wrong = CheckLanded(database);
  for (auto&& more :
       {CheckOrder(log), CheckAlerts(log), CheckProjections(database), CheckNeighbours(database)})
    wrong.insert(wrong.end(), more.begin(), more.end());
  return wrong;
}

}  // namespace tidegate::simulation
