#include "agent/pipeline/refused_parts.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate {
namespace {

TEST(RefusedPartsTest, OnePartIsTheLettersPayload) {
  RefusedParts parts;
  parts.Add("\x01no json", "why");
  const DeadLetter letter = parts.TakeLetter("in", "topic", WallTime(std::chrono::seconds(7)));
  EXPECT_EQ(letter.input, "in");
  EXPECT_EQ(letter.origin, "topic");
  EXPECT_EQ(letter.reason, "why");
  EXPECT_EQ(letter.payload, "\x01no json");
  EXPECT_EQ(letter.time, WallTime(std::chrono::seconds(7)));
}

TEST(RefusedPartsTest, SeveralPartsAreOneArrayWithTheFirstReason) {
  RefusedParts parts;
  for (const char* part : {"{}", "3", "\"x\""}) parts.Add(part, std::string("element ") + part);
  EXPECT_EQ(parts.count(), 3U);
  const DeadLetter letter = parts.TakeLetter("in", "topic", {});
  EXPECT_EQ(letter.payload, R"([{},3,"x"])");
  EXPECT_EQ(letter.reason, "element {}; and 2 more elements");
}

TEST(RefusedPartsTest, OriginAndReasonAreCutBetweenCharacters) {
  RefusedParts parts;
  std::string large;
  for (int i = 0; i < 30'000; ++i) large += "\xE2\x82\xAC";
  parts.Add("{}", large);
  const DeadLetter letter = parts.TakeLetter("in", large, {});
  EXPECT_EQ(letter.origin.size(), kMaxOriginBytes / 3 * 3);
  EXPECT_EQ(letter.reason.size(), kMaxReasonBytes / 3 * 3);
}

}  // namespace
}  // namespace tidegate
