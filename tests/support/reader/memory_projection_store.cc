#include "tests/support/reader/memory_projection_store.h"

#include <algorithm>
#include <tuple>

namespace tidegate::reader {

Result<std::vector<Projection>> MemoryProjectionStore::Load(std::span<const DocumentKey> keys) {
  if (Status status = Hook(false); !status.ok()) return status.error();
  const auto database_of = [](const DocumentKey& key) { return key.ns.database; };
  if (Status status = HookDatabases(keys, database_of); !status.ok()) return status.error();
  std::vector<Projection> loaded;
  for (const DocumentKey& key : keys) {
    const auto found = database_.projections.find(key);
    loaded.push_back(found == database_.projections.end() ? Projection{.key = key} : found->second);
  }
  if (Status status = Hook(true); !status.ok()) return status.error();
  return loaded;
}

Result<std::vector<SaveOutcome>> MemoryProjectionStore::Save(
    std::span<const Projection> projections) {
  if (Status status = Hook(false); !status.ok()) return status.error();
  const auto database_of = [](const Projection& one) { return one.key.ns.database; };
  if (Status status = HookDatabases(projections, database_of); !status.ok()) return status.error();
  std::vector<SaveOutcome> outcomes;
  for (const Projection& projection : projections) {
    if (database_.refused.contains(projection.key.id)) {
      outcomes.push_back(SaveOutcome::kRefused);
      continue;
    }
    const auto found = database_.projections.find(projection.key);
    const int64_t stored = found == database_.projections.end() ? 0 : found->second.revision;
    outcomes.push_back(stored == projection.revision ? SaveOutcome::kSaved
                                                     : SaveOutcome::kConflict);
    if (stored != projection.revision) continue;
    Projection next = projection;
    ++next.revision;
    database_.projections[projection.key] = std::move(next);
  }
  if (Status status = Hook(true); !status.ok()) return status.error();
  return outcomes;
}

Result<std::vector<std::optional<Landed>>> MemoryProjectionStore::FindLanded(
    std::span<const DocumentKey> keys) {
  if (Status status = Hook(false); !status.ok()) return status.error();
  const auto database_of = [](const DocumentKey& key) { return key.ns.database; };
  if (Status status = HookDatabases(keys, database_of); !status.ok()) return status.error();
  std::vector<std::optional<Landed>> landed;
  for (const DocumentKey& key : keys) {
    const auto found = database_.landed.find(key);
    landed.push_back(found == database_.landed.end() ? std::nullopt : std::optional(found->second));
  }
  if (Status status = Hook(true); !status.ok()) return status.error();
  return landed;
}

Status MemoryProjectionStore::EachLanded(const Namespace& ns, const TakeLanded& take) {
  if (Status status = Hook(false); !status.ok()) return status;
  std::map<std::tuple<std::string, int32_t, int64_t>, std::string> ordered;
  for (const auto& [key, landed] : database_.landed) {
    if (key.ns == ns)
      ordered[{landed.topic, landed.partition, landed.offset}] = database_.bodies.at(key);
  }
  for (const auto& [place, body] : ordered) {
    if (Status status = take(body); !status.ok()) return status;
  }
  return Hook(true);
}

Status MemoryProjectionStore::Clear(const Namespace& ns) {
  if (Status status = Hook(false); !status.ok()) return status;
  std::erase_if(database_.projections, [&](const auto& entry) { return entry.first.ns == ns; });
  return Hook(true);
}

Result<Offsets> MemoryProjectionStore::ReadPositions(const std::string& database,
                                                     std::span<const std::string> partitions) {
  if (Status status = Hook(false); !status.ok()) return status.error();
  const auto same = [](const std::string& name) { return name; };
  if (Status status = HookDatabases(std::vector{database}, same); !status.ok())
    return status.error();
  Offsets positions;
  for (const std::string& partition : partitions) {
    const auto found = database_.positions.find(partition);
    if (found != database_.positions.end()) positions.insert(*found);
  }
  return positions;
}

Status MemoryProjectionStore::WritePositions(const std::string&, const Offsets& next, WallTime) {
  if (Status status = Hook(false); !status.ok()) return status.error();
  for (const auto& [partition, offset] : next) {
    int64_t& stored = database_.positions.emplace(partition, offset).first->second;
    stored = std::max(stored, offset);
  }
  return Hook(true);
}

}  // namespace tidegate::reader
