#include "reader/project/laggards.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/reached.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMostReasons = 20;
}  // namespace

void Laggards::Begin(const std::string& database, const std::string& reason, BootTime now,
                     BootTime took) {
  REACHED("projector: a database lags");
  Lagging& lagging = lagging_[database];
  if (const auto kept = catching_up_.extract(database)) lagging.backoff = kept.mapped();
  for (auto& [partition, reread] : rereads_) reread.in_vain |= reread.databases.contains(database);
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

bool Laggards::IsReread(const std::string& database) const {
  return std::ranges::any_of(
      rereads_, [&](const auto& entry) { return entry.second.databases.contains(database); });
}

bool Laggards::WaitsForReread(const std::string& database, BootTime now) const {
  return std::ranges::any_of(rereads_, [&](const auto& entry) {
    return entry.second.databases.contains(database) &&
           now < entry.second.began + options_.longest_reread;
  });
}

std::optional<std::string> Laggards::Due(BootTime now) const {
  if (now < next_try_) return std::nullopt;
  auto first = lagging_.end();
  for (auto one = lagging_.begin(); one != lagging_.end(); ++one) {
    if (now < one->second.retry_at) continue;
    if (first != lagging_.end() && one->second.retry_at >= first->second.retry_at) continue;
    if (!WaitsForReread(one->first, now)) first = one;
  }
  return first == lagging_.end() ? std::nullopt : std::optional(first->first);
}

std::map<Partition, int64_t> Laggards::From(const std::string& database) const {
  const auto lagging = lagging_.find(database);
  return lagging == lagging_.end() ? std::map<Partition, int64_t>() : lagging->second.from;
}

void Laggards::OnRewound(const std::string& database, const Partition& partition, int64_t until,
                         BootTime now) {
  REACHED("projector: a lagging database catches up");
  Reread& reread = rereads_[partition];
  reread.until = std::max(reread.until, until);
  reread.databases.insert(database);
  reread.began = now;
  if (const auto lagging = lagging_.find(database); lagging != lagging_.end())
    lagging->second.from.erase(partition);
}

void Laggards::End(const std::string& database) {
  const auto lagging = lagging_.find(database);
  if (lagging == lagging_.end()) return;
  if (IsReread(database)) catching_up_[database] = lagging->second.backoff;
  lagging_.erase(lagging);
}

int64_t Laggards::OnDone(const Partition& partition, int64_t next, BootTime now) {
  if (const auto reread = rereads_.find(partition);
      reread != rereads_.end() && next >= reread->second.until) {
    if (reread->second.in_vain)
      next_try_ = std::max(next_try_, now + (now - reread->second.began) * options_.retry_share);
    EndReread(reread);
  }
  for (const auto& [database, lagging] : lagging_) {
    if (const auto from = lagging.from.find(partition); from != lagging.from.end())
      next = std::min(next, from->second);
  }
  return next;
}

void Laggards::EndReread(std::map<Partition, Reread>::iterator reread) {
  const std::set<std::string> databases = std::move(reread->second.databases);
  rereads_.erase(reread);
  for (const std::string& database : databases)
    if (!IsReread(database)) catching_up_.erase(database);
}

void Laggards::Forget(const Partition& partition) {
  if (const auto reread = rereads_.find(partition); reread != rereads_.end()) EndReread(reread);
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
