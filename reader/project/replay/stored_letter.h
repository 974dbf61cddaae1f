// A dead letter read back from its topic: the message as it was when it was refused, and the
// reason. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/clock.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

struct StoredLetter {
  // The message with its own topic, partition, offset, headers and timestamp.
  SourceMessage message;
  // The first word of tg-dlq-reason, a RefusalKindName().
  std::string reason_kind;
  // When it became a dead letter.
  WallTime time{};
  // Which of the logs that its partition has had contained the message.
  int64_t epoch = 0;
  // The letter holds only the beginning of the message's value.
  bool cut = false;
};

// `raw` is a message of the dead-letter topic. nullopt: it is no letter of a Tidegate reader,
// because one of its tg-dlq-* headers is missing or does not parse.
std::optional<StoredLetter> ReadLetter(SourceMessage raw);

}  // namespace tidegate::reader
