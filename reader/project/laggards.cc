#include "reader/project/laggards.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/reached.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMostReasons = 20;
}  // namespace

void Laggards::Begin(const std::string& database, const std::string& reason, BootTime now,
                     BootTime took) {
  REACHED("projector: a database lags");
  Lagging& lagging = lagging_[database];
  lagging.reason = reason;
  lagging.backoff = std::clamp(lagging.backoff * 2, options_.retry_initial, options_.retry_max);
  lagging.retry_at = now + lagging.backoff;
  next_try_ = std::max(next_try_, now + took * options_.retry_share);
}

bool Laggards::Takes(const std::string& database, const Partition& partition,
                     int64_t offset) const {
  if (Lags(database)) return false;
  const auto reread = rereads_.find(partition);
  return reread == rereads_.end() || offset >= reread->second.until ||
         reread->second.databases.contains(database);
}

int64_t Laggards::LeaveOut(const std::string& database, const Partition& partition,
                           int64_t offset) {
  const auto lagging = lagging_.find(database);
  if (lagging == lagging_.end()) return 0;
  // What is read again for other databases' sake was done before.
  if (const auto reread = rereads_.find(partition); reread != rereads_.end() &&
                                                    offset < reread->second.until &&
                                                    !reread->second.databases.contains(database))
    return 0;
  int64_t& from = lagging->second.from.try_emplace(partition, offset).first->second;
  from = std::min(from, offset);
  if (offset - from < options_.most) return 0;
  REACHED("projector: a lagging database loses projections");
  const int64_t given_up = offset - from;
  from = offset;
  return given_up;
}

std::optional<std::string> Laggards::Due(BootTime now) const {
  if (now < next_try_) return std::nullopt;
  const auto first = std::ranges::min_element(
      lagging_, {}, [](const auto& entry) { return entry.second.retry_at; });
  if (first == lagging_.end() || now < first->second.retry_at) return std::nullopt;
  return first->first;
}

std::map<Partition, int64_t> Laggards::From(const std::string& database) const {
  const auto lagging = lagging_.find(database);
  return lagging == lagging_.end() ? std::map<Partition, int64_t>() : lagging->second.from;
}

void Laggards::OnRewound(const std::string& database, const Partition& partition, int64_t until) {
  REACHED("projector: a lagging database catches up");
  Reread& reread = rereads_[partition];
  reread.until = std::max(reread.until, until);
  reread.databases.insert(database);
  if (const auto lagging = lagging_.find(database); lagging != lagging_.end())
    lagging->second.from.erase(partition);
}

int64_t Laggards::OnDone(const Partition& partition, int64_t next) {
  if (const auto reread = rereads_.find(partition);
      reread != rereads_.end() && next >= reread->second.until)
    rereads_.erase(reread);
  for (const auto& [database, lagging] : lagging_) {
    if (const auto from = lagging.from.find(partition); from != lagging.from.end())
      next = std::min(next, from->second);
  }
  return next;
}

void Laggards::Forget(const Partition& partition) {
  rereads_.erase(partition);
  for (auto& [database, lagging] : lagging_) lagging.from.erase(partition);
}

std::vector<std::string> Laggards::Reasons() const {
  std::vector<std::string> reasons;
  for (const auto& [database, lagging] : lagging_) {
    if (reasons.size() >= kMostReasons) break;
    reasons.push_back(fmt::format("{}: {}", database, lagging.reason));
  }
  return reasons;
}

}  // namespace tidegate::reader
