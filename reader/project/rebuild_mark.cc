#include "reader/project/rebuild_mark.h"

#include <vector>

namespace tidegate::reader {

Result<int64_t> ReadRebuildMark(ProjectionStore& store, const std::string& database) {
  const auto positions = store.ReadPositions(database, std::vector<std::string>{kRebuildMark});
  if (!positions.ok()) return positions.error();
  const auto found = positions->find(kRebuildMark);
  return found == positions->end() ? 0 : found->second;
}

Status WriteRebuildMark(ProjectionStore& store, const std::string& database, int64_t mark,
                        bool under_way, WallTime now) {
  if (IsUnderWay(mark) == under_way) return {};
  return store.WritePositions(database, {{kRebuildMark, mark + 1}}, now);
}

}  // namespace tidegate::reader
