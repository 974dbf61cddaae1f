// How the wall clock of each boot stood to the time since boot when it was first synchronised, for
// the last few boots: it dates what a gateway without a clock of its own took before that. Pure;
// one thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace tidegate {

class ClockHistory {
 public:
  // Whoever finds the clock only now and then may still have records of this many boots; an entry
  // takes about 50 bytes.
  static constexpr size_t kMaxBoots = 32;

  // kInvalid: not what Text() writes.
  static Result<ClockHistory> Parse(std::string_view text);
  // One line a boot, the oldest first: its id, a space, its offset in ms.
  std::string Text() const;

  // Notes that the boot's wall clock is the time since boot plus `offset`. Only the first word on a
  // boot counts, so that a record gets the same time whenever it is asked. False: known already, or
  // nothing to keep (a boot without an id of its own, a clock 10,000 years off).
  bool Learn(std::string_view boot_id, std::chrono::milliseconds offset);

  // The wall time at a moment of a boot; nullopt: its clock was never seen synchronised.
  std::optional<WallTime> WallAt(std::string_view boot_id,
                                 std::chrono::milliseconds since_boot) const;

  size_t size() const { return boots_.size(); }
  friend bool operator==(const ClockHistory&, const ClockHistory&) = default;

 private:
  struct Boot {
    std::string id;
    std::chrono::milliseconds offset;
    friend bool operator==(const Boot&, const Boot&) = default;
  };
  const Boot* Find(std::string_view boot_id) const;

  std::vector<Boot> boots_;
};

}  // namespace tidegate
