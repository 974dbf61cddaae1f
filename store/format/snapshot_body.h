// Encodes a snapshot as a row of table state: version, seq and checksum around a body that only its
// maker can read. Private to store/; pure.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "store/store.h"

namespace tidegate {

// REQUIRES: through < kMaxNextSeq.
std::string EncodeSnapshot(std::string_view body, Seq through);
// kCorrupt: damaged, of a later version, or with an impossible seq.
Result<Snapshot> DecodeSnapshot(std::string_view bytes);

}  // namespace tidegate
