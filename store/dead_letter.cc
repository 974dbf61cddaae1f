#include "store/dead_letter.h"

#include <string>

#include "core/utf8.h"

namespace tidegate {
namespace {

DeadLetter Make(const LetterSubject& subject, size_t max_payload_bytes, WallTime time) {
  DeadLetter letter{.input = std::string(CutLetterText(subject.input)),
                    .origin = std::string(CutLetterText(subject.origin)),
                    .reason = std::string(CutLetterText(subject.reason)),
                    .payload = std::string(subject.payload.substr(0, max_payload_bytes)),
                    .time = time};
  if (subject.payload.size() > letter.payload.size()) letter.whole_bytes = subject.payload.size();
  return letter;
}

}  // namespace

DeadLetter MakeDeadLetter(const LetterSubject& subject, WallTime time) {
  return Make(subject, kMaxUnparsedBytes, time);
}

DeadLetter MakeRecordLetter(const LetterSubject& subject, WallTime time) {
  return Make(subject, subject.payload.size(), time);
}

std::string_view CutLetterText(std::string_view text) {
  return Utf8Prefix(text, kMaxLetterTextBytes);
}

void DropPayload(DeadLetter& letter) {
  letter.whole_bytes = letter.payload_bytes();
  letter.payload = {};
}

}  // namespace tidegate
