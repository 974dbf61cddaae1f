#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/credentials.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/result.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Result, HoldsAValueOrAnError) {
  const Result<std::string> good = std::string("x");
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, "x");
  const Result<std::string> bad = Error{ErrorCode::kFull, "no room"};
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "no room");
  EXPECT_TRUE(Status(good).ok());
  EXPECT_EQ(Status(bad).error().code, ErrorCode::kFull);
}

TEST(Result, OnlyUnavailableAndFullAreWorthAnotherTry) {
  EXPECT_TRUE((Error{ErrorCode::kUnavailable, ""}).retryable());
  EXPECT_TRUE((Error{ErrorCode::kFull, ""}).retryable());
  EXPECT_FALSE((Error{ErrorCode::kInvalid, ""}).retryable());
  EXPECT_FALSE((Error{ErrorCode::kRejected, ""}).retryable());
  EXPECT_FALSE((Error{ErrorCode::kCorrupt, ""}).retryable());
}

TEST(Backoff, DoublesUpToTheBoundAndStaysInItsHalf) {
  Backoff backoff({.initial = 100ms, .max = 1000ms}, 7);
  for (const auto bound : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const auto wait = backoff.Next();
    EXPECT_GE(wait, bound / 2);
    EXPECT_LE(wait, bound);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(), 100ms);
}

TEST(Backoff, DifferentSeedsWaitDifferently) {
  Backoff a({}, 1);
  Backoff b({}, 2);
  int different = 0;
  for (int i = 0; i < 10; ++i) different += a.Next() != b.Next() ? 1 : 0;
  EXPECT_GT(different, 5);
}

TEST(SystemClock, SinceBootMovesOnAndTheBootHasAnId) {
  const SystemClock clock;
  const BootTime before = clock.SinceBoot();
  EXPECT_GE(clock.SinceBoot(), before);
  EXPECT_GT(before, 0ns);
  EXPECT_EQ(clock.BootId().size(), 32U);
  EXPECT_EQ(clock.BootId(), SystemClock().BootId());
  EXPECT_GT(clock.Now().time_since_epoch(), 0ms);
}

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

TEST(Metrics, TheTextNamesValuesAndLabels) {
  Metrics metrics;
  auto& counter = metrics.AddCounter("tidegate_test_total", "Tests.", {{"input", "a\"b"}});
  counter.Increment(3);
  EXPECT_EQ(&counter, &metrics.AddCounter("tidegate_test_total", "Tests.", {{"input", "a\"b"}}));
  auto& gauge = metrics.AddGauge("tidegate_test_bytes", "Bytes.");
  metrics.BeforeExport([&] { gauge.Set(7); });
  metrics.AddHistogram("tidegate_test_seconds", "Time.", {0.1, 1}).Observe(0.5);
  const std::string text = metrics.Text();
  EXPECT_THAT(text,
              HasSubstr("# HELP tidegate_test_total Tests.\n# TYPE tidegate_test_total counter\n"
                        "tidegate_test_total{input=\"a\\\"b\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("tidegate_test_bytes 7\n"));
  EXPECT_THAT(text, HasSubstr("tidegate_test_seconds_bucket{le=\"1\"} 1\n"));
}

class CredentialsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "credentials-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    outside_ = pattern;
    folder_ = outside_ / "credentials";
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(outside_); }

  void Put(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  Credentials Open() const { return Credentials(folder_.string()); }

  std::filesystem::path outside_;
  std::filesystem::path folder_;
};

TEST_F(CredentialsTest, ReadsTheContentWithoutOneNewline) {
  Put("kafka.sasl.password", "secret\n");
  Put("two", "a\n\n");
  Put("none", "");
  EXPECT_EQ(**Open().Read("kafka.sasl.password"), "secret");
  EXPECT_EQ(**Open().Read("two"), "a\n");
  EXPECT_EQ(**Open().Read("none"), "");
}

TEST_F(CredentialsTest, AnAbsentOneIsNoError) {
  const auto absent = Open().Read("absent");
  ASSERT_TRUE(absent.ok());
  EXPECT_FALSE(*absent);
  EXPECT_FALSE(Open().Path("absent"));
  const auto without_folder = Credentials("").Read("absent");
  ASSERT_TRUE(without_folder.ok());
  EXPECT_FALSE(*without_folder);
  EXPECT_THAT(Credentials("").Names(), ElementsAre());
}

TEST_F(CredentialsTest, NoNameLeadsOutOfTheFolder) {
  std::ofstream(outside_ / "other") << "x";
  for (const char* name : {"../other", "..", ".", "", "a/b", "a b", "a%2fb"}) {
    const auto read = Open().Read(name);
    ASSERT_FALSE(read.ok()) << name;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_FALSE(Open().Path(name)) << name;
  }
}

TEST_F(CredentialsTest, WhatIsNoReadableFileOrTooLargeIsInvalidAndNeverShown) {
  std::filesystem::create_directory(folder_ / "folder");
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  Put("large", std::string(Credentials::kMaxBytes + 1, 's'));
  Put("largest", std::string(Credentials::kMaxBytes, 's'));
  for (const char* name : {"folder", "fifo", "large"}) {
    const auto read = Open().Read(name);
    ASSERT_FALSE(read.ok()) << name;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(read.error().message, HasSubstr(name));
    EXPECT_THAT(read.error().message, testing::Not(HasSubstr("sss")));
  }
  EXPECT_TRUE(Open().Read("largest").ok());
}

TEST_F(CredentialsTest, ListsNamesSortedAndGivesPaths) {
  Put("b", "");
  Put("a", "");
  EXPECT_THAT(Open().Names(), ElementsAre("a", "b"));
  EXPECT_EQ(Open().Path("a"), (folder_ / "a").string());
}

TEST_F(CredentialsTest, TheFolderComesFromTheEnvironment) {
  Put("a", "1");
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  EXPECT_EQ(**Credentials::FromEnvironment().Read("a"), "1");
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_FALSE(*Credentials::FromEnvironment().Read("a"));
}

}  // namespace
}  // namespace tidegate
