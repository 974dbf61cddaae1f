#include <algorithm>

#include "core/quantity.h"
#include "reader/config/loader.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr milliseconds kLeastWindow = std::chrono::seconds(1);
constexpr milliseconds kLongestWindow = std::chrono::days(366);
constexpr size_t kMaxWindows = 8;  // Each is one more projection to save for each sensor.
}  // namespace

void Loader::LoadProjections() {
  const Found windows = Text("TIDEGATE_AGGREGATE_WINDOWS", {}, "1h");
  std::vector<milliseconds>& list = config_.projector.folder.folds.windows;
  list.clear();
  for (const std::string& word : SplitList(windows.value)) {
    const auto window = ParseDuration(word);
    if (!window || *window < kLeastWindow || *window > kLongestWindow) {
      Problem(windows.origin, fmt::format("'{}' is not a duration from 1s to 366d", word));
    } else if (std::ranges::count(list, *window) == 0) {
      list.push_back(*window);
    }
  }
  if (list.size() > kMaxWindows)
    Problem(windows.origin, fmt::format("names more than {} windows", kMaxWindows));
  FoldOptions& folds = config_.projector.folder.folds;
  folds.rules = config_.rules;
  // Alerts by rules land where gateways' do.
  const auto alerts = std::ranges::find(config_.streams, StreamKind::kAlert, &Stream::kind);
  if (alerts != config_.streams.end()) folds.alerts_collection = alerts->collection;
  // The projections' position, pace and patience are the landing's.
  config_.worker.database = config_.projector.database = config_.decoder.database;
  config_.projector.backoff = config_.worker.backoff;
  config_.projector.batch_interval = config_.worker.batch_interval;
}

}  // namespace tidegate::reader
