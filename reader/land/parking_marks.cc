#include "reader/land/parking_marks.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

namespace {
// How often in a row other processes may change the same marks first.
constexpr int kMaxRounds = 20;

bool RaiseMark(Offsets& mark, const Offsets& with) {
  bool changed = false;
  for (const auto& [partition, position] : with) {
    const auto [entry, is_new] = mark.emplace(partition, position);
    changed = changed || is_new || entry->second < position;
    entry->second = std::max(entry->second, position);
  }
  return changed;
}

bool LowerMark(Offsets& mark, const Offsets& with) {
  return std::erase_if(mark, [&](const auto& entry) {
           const auto landed = with.find(entry.first);
           return landed != with.end() && entry.second <= landed->second;
         }) > 0;
}

bool BoundMark(Offsets& mark, const Offsets& with) {
  bool changed = false;
  for (auto& [partition, position] : mark) {
    const auto end = with.find(partition);
    if (end == with.end() || position <= end->second) continue;
    position = end->second;
    changed = true;
  }
  return changed;
}
}  // namespace

Result<ParkingMarks::Marks> ParkingMarks::Read(const std::set<std::string>& databases) {
  std::vector<DocumentKey> keys;
  for (const std::string& database : databases) keys.push_back({{main_, kLanes}, database});
  if (keys.empty()) return Marks();
  auto loaded = store_.Load(keys);
  if (!loaded.ok()) return loaded.error();
  CHECK(loaded->size() == keys.size(), "each key has one mark");
  Marks marks;
  for (Projection& mark : *loaded) {
    if (!mark.folded.empty()) marks[mark.key.id] = std::move(mark.folded);
  }
  return marks;
}

Status ParkingMarks::Raise(const Marks& marks, WallTime now) {
  return Apply(marks, RaiseMark, now);
}

Status ParkingMarks::Lower(const Marks& landed) {
  return Apply(landed, LowerMark, WallTime());
}

Status ParkingMarks::Bound(const Marks& ends) {
  return Apply(ends, BoundMark, WallTime());
}

Status ParkingMarks::Apply(const Marks& marks, Change change, WallTime now) {
  std::vector<DocumentKey> keys;
  for (const auto& [database, positions] : marks) keys.push_back({{main_, kLanes}, database});
  for (int round = 0; round < kMaxRounds && !keys.empty(); ++round) {
    auto loaded = store_.Load(keys);
    if (!loaded.ok()) return loaded.error();
    std::erase_if(*loaded, [&](Projection& mark) {
      const bool was_open = mark.folded.empty();
      const bool changed = change(mark.folded, marks.at(mark.key.id));
      if (changed && was_open) mark.members["parked_since"].is = now;
      return !changed;
    });
    if (loaded->empty()) return {};
    const auto saved = store_.Save(*loaded);
    if (!saved.ok()) return saved.error();
    keys.clear();
    for (size_t i = 0; i < loaded->size(); ++i)
      if ((*saved)[i] != SaveOutcome::kSaved) keys.push_back((*loaded)[i].key);
  }
  if (keys.empty()) return {};
  return Error{ErrorCode::kUnavailable, "mark databases as parked: others change the same marks"};
}

}  // namespace tidegate::reader
