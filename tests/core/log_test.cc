#include "core/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(Log, PassesItsLevelAndMakesOneLine) {
  std::vector<std::string> lines;
  const Log log(LogLevel::kWarning, [&](LogLevel level, std::string_view line) {
    lines.push_back(std::string(LogLevelName(level)) + ":" + std::string(line));
  });
  log.Error("disk {} is\nfull\x1b[31m", 1);
  log.Warning("w");
  log.Info("i");
  log.Debug("d");
  EXPECT_THAT(lines, ElementsAre("error:disk 1 is full [31m", "warning:w"));
}

TEST(Log, LevelsReadInEitherCase) {
  EXPECT_EQ(ParseLogLevel("WARN"), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_FALSE(ParseLogLevel("loud"));
  EXPECT_FALSE(ParseLogLevel(""));
}

TEST(LogLimit, OneLineAMinuteStandsForAllOfIt) {
  LogLimit limit;
  EXPECT_EQ(limit.Count(0s), 1U);
  EXPECT_FALSE(limit.Count(1s));
  EXPECT_FALSE(limit.Count(59s, 10));
  EXPECT_EQ(limit.Count(60s), 12U);
  EXPECT_FALSE(limit.Count(119s));
  EXPECT_EQ(limit.Count(1000s), 2U);
}

TEST(LogTest, ALineIsCutAtTwoKilobytes) {
  std::string logged;
  const Log log(LogLevel::kInfo, [&](LogLevel, std::string_view line) { logged = line; });
  log.Write(LogLevel::kInfo, std::string(120'000, 'x'));
  EXPECT_EQ(logged.size(), 2'048U);
  EXPECT_TRUE(logged.ends_with("... (cut)"));
  log.Write(LogLevel::kInfo, std::string(2'048, 'x'));
  EXPECT_TRUE(logged.ends_with("xxx"));
}

}  // namespace
}  // namespace tidegate
