// For each of the last boots, the offset of the wall clock to the time since boot when the clock
// was first synchronised. It dates the records that a gateway without a battery-backed clock stored
// before that moment. Pure; one thread.
//
// Invariant: at most kMaxBoots boots, each with an id of its own (Learn() checks the bound and
// refuses a known id).
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
  // A gateway that rarely reaches a time server may have stored records of this many boots. An
  // entry takes about 50 bytes; a further one replaces the oldest.
  static constexpr size_t kMaxBoots = 32;

  // Reads what Text() wrote. kInvalid: it is anything else.
  static Result<ClockHistory> Parse(std::string_view text);
  // Returns one line for each boot, the oldest first: its id, a space, its offset in ms.
  std::string Text() const;

  // Records that the boot's wall clock is the time since boot plus `offset`. Only the first offset
  // of a boot is kept, so that a record gets the same time whenever it is dated. Returns false and
  // changes nothing if the boot is known already, its id is none or all zeros, or the offset is
  // over 10,000 years.
  bool Learn(std::string_view boot_id, std::chrono::milliseconds offset);

  // Returns the wall time at a moment of a boot; nullopt if that boot's clock was never
  // synchronised while this history knew it.
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
