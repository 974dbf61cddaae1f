// The frame around a snapshot in table state: version, seq and checksum; the inside belongs to the
// one who made it. Private to store/; pure.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "store/store.h"

namespace tidegate {

std::string EncodeSnapshot(std::string_view body, Seq through);
// kCorrupt: damaged, or of a later version.
Result<Snapshot> DecodeSnapshot(std::string_view bytes);

}  // namespace tidegate
