#include "drivers/serial/line_framer.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

namespace tidegate {
namespace {

constexpr size_t kMax = 10;

class LineFramerTest : public testing::Test {
 protected:
  // Feeds the text in pieces of `piece` bytes and returns all lines.
  std::vector<std::string> Lines(const std::string& text, size_t piece) {
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size(); at += piece) {
      framer_.Feed(std::string_view(text).substr(at, piece));
      while (const auto line = framer_.Next()) lines.emplace_back(*line);
      EXPECT_LE(framer_.buffered_bytes(), kMax + 1);
    }
    return lines;
  }

  LineFramer framer_{kMax};
};

using Strings = std::vector<std::string>;

TEST_F(LineFramerTest, TakesEitherLineEndHoweverTheBytesCome) {
  for (size_t piece : {1, 2, 3, 7, 100}) {
    EXPECT_EQ(Lines("one\ntwo\r\n\n\r\n  \nthree\n", piece), (Strings{"one", "two", "three"}));
  }
  EXPECT_EQ(framer_.overlong(), 0u);
}

TEST_F(LineFramerTest, DropsALineOverTheLimitUpToItsEnd) {
  uint64_t overlong = 0;
  for (size_t piece : {1, 2, 5, 11, 12, 13, 100}) {
    EXPECT_EQ(Lines("0123456789\r\n0123456789A\n" + std::string(50, 'x') + "\nafter\n", piece),
              (Strings{"0123456789", "after"}))
        << piece;
    EXPECT_EQ(framer_.overlong(), overlong += 2) << piece;
  }
}

TEST_F(LineFramerTest, NeverKeepsMoreThanOneLine) {
  for (int i = 0; i < 10'000; ++i) {
    framer_.Feed("no end in sight ");
    ASSERT_FALSE(framer_.Next().has_value());
    ASSERT_LE(framer_.buffered_bytes(), kMax + 1);
  }
  EXPECT_EQ(framer_.overlong(), 1u);
}

TEST_F(LineFramerTest, AGapForgetsOnlyTheLineThatHasBegun) {
  framer_.Feed("one\ntwo\nthr");
  EXPECT_EQ(framer_.Next(), "one");
  EXPECT_TRUE(framer_.DropUnfinished());
  EXPECT_EQ(framer_.Next(), "two");
  EXPECT_EQ(framer_.Next(), std::nullopt);
  EXPECT_FALSE(framer_.DropUnfinished());
  EXPECT_EQ(Lines("four\n", 1), Strings{"four"});
}

TEST_F(LineFramerTest, AGapEndsTheSkipping) {
  framer_.Feed(std::string(50, 'x'));
  EXPECT_EQ(framer_.Next(), std::nullopt);
  EXPECT_FALSE(framer_.DropUnfinished());
  EXPECT_EQ(Lines("after\n", 100), Strings{"after"});
  EXPECT_EQ(framer_.overlong(), 1u);
}

TEST(LineFramerDeathTest, WholeLinesAreReadBeforeMoreIsFed) {
  LineFramer framer(100);
  framer.Feed("a\nb\n");
  (void)framer.Next();
  EXPECT_EXIT(framer.Feed("c"), testing::KilledBySignal(SIGABRT), "every whole line");
}

}  // namespace
}  // namespace tidegate
