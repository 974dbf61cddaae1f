// Makes dead letters: everything that is unbounded in what they are about is cut here, so that no
// copy of it waits in memory. The store cuts a letter once more, to what fits one transaction.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/clock.h"
#include "store/batch.h"

namespace tidegate {

// Input, origin and reason are texts for people; longer ones are cut.
inline constexpr size_t kMaxLetterTextBytes = 1024;
// How much is kept of bytes that are no record.
inline constexpr size_t kMaxUnparsedBytes = 64 << 10;

// What a letter is about.
struct LetterSubject {
  std::string_view input;
  std::string_view origin;
  std::string_view reason;
  std::string_view payload;
};

// Returns the letter about bytes that are no record: the beginning of a large payload.
DeadLetter MakeDeadLetter(const LetterSubject& subject, WallTime time);
// Returns the letter about a record, whose value stays whole.
DeadLetter MakeRecordLetter(const LetterSubject& subject, WallTime time);

// Returns the beginning of a text that is too long, without a part of a character.
std::string_view CutLetterText(std::string_view text);
// Removes the payload and keeps its size: what is left of a letter that a store refuses whole.
void DropPayload(DeadLetter& letter);

}  // namespace tidegate
