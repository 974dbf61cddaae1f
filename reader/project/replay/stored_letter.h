// A dead letter as it is read back out of its topic: the message as it was when it was refused, and
// why it was. Pure.
#pragma once

#include <optional>
#include <string>

#include "core/clock.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

struct StoredLetter {
  SourceMessage message;    // With its own topic, partition, offset, headers and timestamp.
  std::string reason_kind;  // The first word of tg-dlq-reason: RefusalKindName().
  WallTime time{};          // When it became a dead letter.
  bool cut = false;         // Only the beginning of its value is there.
};

// `raw`: a message of the dead-letter topic. nullopt: no letter of this reader's, because one of
// its tg-dlq-* headers is missing or does not read.
std::optional<StoredLetter> ReadLetter(SourceMessage raw);

}  // namespace tidegate::reader
