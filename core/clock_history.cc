#include "core/clock_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/check.h"

namespace tidegate {

namespace {
using std::chrono::milliseconds;

constexpr size_t kBootIdBytes = 32;
// About the years -7990 to 11970: far from overflow, and wider than FormatTime shows.
constexpr milliseconds kFarthest = std::chrono::years{10'000};

// The id of all zeros, which SystemClock has if it cannot read one, identifies no boot.
bool IsBootId(std::string_view text) {
  return text.size() == kBootIdBytes &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos &&
         text.find_first_not_of('0') != std::string_view::npos;
}

bool IsNear(milliseconds offset) {
  return offset >= -kFarthest && offset <= kFarthest;
}

std::optional<milliseconds> ParseOffset(std::string_view text) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return milliseconds(count);
}
}  // namespace

Result<ClockHistory> ClockHistory::Parse(std::string_view text) {
  ClockHistory history;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::string_view id = line.substr(0, kBootIdBytes);
    const bool separated =
        end != std::string_view::npos && line.size() > kBootIdBytes && line[kBootIdBytes] == ' ';
    const auto offset = separated ? ParseOffset(line.substr(kBootIdBytes + 1)) : std::nullopt;
    if (!offset || history.size() == kMaxBoots || !history.Learn(id, *offset)) {
      return Error{ErrorCode::kInvalid,
                   fmt::format("read the clock's history: boot {} is not as it was written",
                               history.size() + 1)};
    }
    text.remove_prefix(end + 1);
  }
  return history;
}

std::string ClockHistory::Text() const {
  std::string text;
  for (const Boot& boot : boots_) text += fmt::format("{} {}\n", boot.id, boot.offset.count());
  return text;
}

const ClockHistory::Boot* ClockHistory::Find(std::string_view boot_id) const {
  const auto found = std::ranges::find(boots_, boot_id, &Boot::id);
  return found == boots_.end() ? nullptr : &*found;
}

bool ClockHistory::Learn(std::string_view boot_id, milliseconds offset) {
  if (!IsBootId(boot_id) || !IsNear(offset) || Find(boot_id) != nullptr) return false;
  if (boots_.size() == kMaxBoots) boots_.erase(boots_.begin());
  boots_.push_back({std::string(boot_id), offset});
  CHECK(boots_.size() <= kMaxBoots, "the history is bounded");
  return true;
}

std::optional<WallTime> ClockHistory::WallAt(std::string_view boot_id,
                                             milliseconds since_boot) const {
  const Boot* boot = Find(boot_id);
  if (boot == nullptr || !IsNear(since_boot)) return std::nullopt;
  return WallTime(boot->offset + since_boot);
}

}  // namespace tidegate
