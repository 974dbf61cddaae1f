#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/quantity.h"
#include "reader/project/fold.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

// The most numbers that are aggregated of one document.
constexpr size_t kMaxSensors = 64;
constexpr size_t kMaxSensorName = 128;

// Members whose numbers are no measurements.
constexpr std::array<std::string_view, 10> kNoSensors{
    "asset_id", "device_id", "machine_id", "sensor_id", "driver_id",
    "event_id", "timestamp", "ts",         "lat",       "lon"};

struct Measured {
  std::string_view sensor;
  double value;
};

void AddNumbers(json::Value object, const json::Value* hidden_by, std::vector<Measured>& out) {
  for (auto member = object.First(); member && out.size() < kMaxSensors; member = member->Next()) {
    const std::string_view name = member->key();
    if (!member->is_number() || name.empty() || name.size() > kMaxSensorName) continue;
    if (std::ranges::count(kNoSensors, name) > 0 || (hidden_by && hidden_by->Find(name))) continue;
    const double value = member->as_number();
    if (std::isfinite(value)) out.push_back({name, value});
  }
}

// Collects the numbers of the document, and those of its additional_data whose names the document
// itself lacks.
std::vector<Measured> NumbersOf(json::Value root) {
  std::vector<Measured> numbers;
  AddNumbers(root, nullptr, numbers);
  const auto additional = root.Find("additional_data");
  if (additional && additional->is_object()) AddNumbers(*additional, &root, numbers);
  return numbers;
}

WallTime WindowStart(WallTime time, milliseconds window) {
  const auto ms = time.time_since_epoch().count();
  const auto width = window.count();
  const auto into = ((ms % width) + width) % width;
  return WallTime(milliseconds(ms - into));
}

// Each partition has a sum of its own, and the sums are added in the order of the partitions'
// names, because a sum of doubles depends on the order.
double AddToSum(const std::string& partition, double value, Object& state) {
  Object& sums = state.Child("sums");
  sums[partition].is = sums.Number(partition) + value;
  std::ranges::sort(sums.members(), {}, &Object::Member::first);
  double sum = 0;
  for (const auto& [name, part] : sums.members()) sum += sums.Number(name);
  return sum;
}

void FoldMeasured(const Event& event, const Measured& measured, const std::string& window,
                  WallTime start, Projection& aggregate) {
  Object& members = aggregate.members;
  // One that has expired has folded documents and begins anew without its names.
  if (!members.Find("asset_id")) {
    NameAsset(event.document->tenant, event.document->asset, members);
    members["sensor_type"].is = std::string(measured.sensor);
    members["window"].is = window;
    members["timestamp"].is = start;
  }
  members["count"].is = members.Integer("count") + 1;
  members["sum"].is = AddToSum(event.partition, measured.value, aggregate.state);
  members["min"].is = std::min(members.Number("min", measured.value), measured.value);
  members["max"].is = std::max(members.Number("max", measured.value), measured.value);
}
}  // namespace

void FoldAggregates(const Event& event, std::span<const milliseconds> windows, Effects& effects) {
  const Document& document = *event.document;
  const std::vector<Measured> numbers = NumbersOf(document.value.root());
  if (numbers.empty()) return;
  const std::string asset = AssetId(document);
  for (const milliseconds width : windows) {
    const std::string window = FormatDuration(width);
    const WallTime start = WindowStart(BoundedTime(document), width);
    for (const Measured& measured : numbers) {
      effects.changes.push_back({{{document.ns.database, "aggregated_data"},
                                  fmt::format("{}/{}/{}/{}", asset, IdPart(measured.sensor), window,
                                              start.time_since_epoch().count())},
                                 [&event, measured, window, start](Projection& aggregate) {
                                   FoldMeasured(event, measured, window, start, aggregate);
                                 }});
    }
  }
}

}  // namespace tidegate::reader
