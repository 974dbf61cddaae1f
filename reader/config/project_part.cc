#include <algorithm>

#include "core/quantity.h"
#include "reader/config/loader.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr milliseconds kLeastWindow = std::chrono::seconds(1);
constexpr milliseconds kLongestWindow = std::chrono::days(366);
constexpr size_t kMaxWindows = 8;  // Each adds a projection for every sensor.
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
  // Alerts of the reader's rules are stored in the same collection as those of gateways.
  const auto alerts = std::ranges::find(config_.streams, StreamKind::kAlert, &Stream::kind);
  if (alerts != config_.streams.end()) folds.alerts_collection = alerts->collection;
  // The projections use the landing's database, interval and backoff.
  config_.worker.database = config_.projector.database = config_.decoder.database;
  config_.projector.backoff = config_.worker.backoff;
  config_.projector.batch_interval = config_.worker.batch_interval;
}

}  // namespace tidegate::reader
