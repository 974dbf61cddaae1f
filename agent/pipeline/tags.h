// Decides to which tenant and asset a record belongs: by the topic, the payload, the input and the
// settings. Every name from outside is bounded here: one that is too long is refused, and the
// reason shows its beginning only. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tidegate {

struct DecodeContext;

// Bytes of an outside name that a reason shows.
inline constexpr size_t kShownNameBytes = 64;

// Returns the name in quotes, without control characters and cut to kShownNameBytes.
std::string ShownName(std::string_view name);

// Examines what the topic and the input say, which holds for every record of a message. kRejected:
// the whole message is refused.
Status CheckTags(const DecodeContext& context);

// Return the tenant or the asset of one record; `own` is what the record itself says, nullopt if it
// says nothing. kRejected: none, a bad one, or a contradiction. The result is a view of an
// argument. REQUIRES: CheckTags() has passed.
Result<std::string_view> DecideTenant(std::optional<std::string_view> own,
                                      const DecodeContext& context);
// An alias (sensor_id) that differs from the topic's asset is a detail of that asset and no
// contradiction: the result is the topic's asset then.
Result<std::string_view> DecideAsset(std::optional<std::string_view> own, bool is_alias,
                                     const DecodeContext& context);

}  // namespace tidegate
