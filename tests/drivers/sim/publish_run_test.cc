#include "drivers/sim/publish_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "drivers/sim/line_publisher.h"
#include "tests/support/fake_clock.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Acknowledges in Step() as the test says; waiting moves the clock.
class ScriptedPublisher final : public Publisher {
 public:
  explicit ScriptedPublisher(FakeClock& clock) : clock_(clock) {}

  bool HasRoom() const override { return connected && due() < window; }
  void Publish(const Heartbeat& heartbeat) override {
    EXPECT_TRUE(HasRoom());
    EXPECT_FALSE(flushed);
    payloads.emplace_back(heartbeat.payload);
    most_due = std::max(most_due, due());
  }
  void Flush() override { flushed = true; }
  Status Step(std::chrono::milliseconds wait) override {
    clock_.Advance(std::max<std::chrono::milliseconds>(wait, 1ms));
    if (broken) return Error{ErrorCode::kRejected, "not authorised"};
    const uint64_t settled = acknowledges ? due() : 0;
    const uint64_t refuse = std::min(settled, refuse_next);
    refuse_next -= refuse;
    counts_.refused += refuse;
    counts_.acknowledged += settled - refuse;
    return {};
  }
  PublisherCounts counts() const override { return counts_; }
  std::string state() const override { return "scripted"; }

  uint64_t due() const { return payloads.size() - counts_.acknowledged - counts_.refused; }

  bool connected = true;
  bool acknowledges = true;
  bool broken = false;
  bool flushed = false;
  uint64_t window = 50;
  uint64_t refuse_next = 0;
  uint64_t most_due = 0;
  std::vector<std::string> payloads;

 private:
  FakeClock& clock_;
  PublisherCounts counts_;
};

class PublishRunTest : public testing::Test {
 protected:
  RunResult Publish(RunOptions options) {
    return PublishRun(
               options, fleet_, publisher_, clock_, [this] { return stopped(); },
               [this](const RunResult& now) {
                 ++reports_;
                 if (on_report) on_report(now);
               })
        .Run();
  }
  static RunOptions Options(double rate, uint64_t count) {
    RunOptions options;
    options.rate = rate;
    options.count = count;
    return options;
  }

  FakeClock clock_;
  Fleet fleet_{{.assets = 3}};
  ScriptedPublisher publisher_{clock_};
  std::function<bool()> stopped = [] { return false; };
  std::function<void(const RunResult&)> on_report;
  int reports_ = 0;
};

TEST_F(PublishRunTest, PublishesTheCountAtTheRate) {
  const RunResult result = Publish(Options(10, 101));
  EXPECT_TRUE(result.complete) << result.problem;
  EXPECT_EQ(result.published, 101u);
  EXPECT_EQ(result.acknowledged, 101u);
  EXPECT_NEAR(static_cast<double>(result.duration.count()), 10'000, 100);
  EXPECT_NEAR(reports_, 10, 1);
  EXPECT_TRUE(publisher_.flushed);
}

TEST_F(PublishRunTest, AsFastAsAcknowledgedFillsTheWindowAndNoMore) {
  const RunResult result = Publish(Options(0, 1'000));
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(publisher_.most_due, publisher_.window);
}

TEST_F(PublishRunTest, GoesOnAfterAnOutage) {
  publisher_.connected = publisher_.acknowledges = false;
  on_report = [this](const RunResult& now) {
    if (now.duration > 20s) publisher_.connected = publisher_.acknowledges = true;
  };
  const RunResult result = Publish(Options(10, 500));
  EXPECT_TRUE(result.complete) << result.problem;
  EXPECT_EQ(result.acknowledged, 500u);
}

TEST_F(PublishRunTest, GivesUpWithoutAcknowledgements) {
  publisher_.acknowledges = false;
  const RunResult result = Publish(Options(10, 500));
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.published, publisher_.window);
  EXPECT_THAT(result.problem, HasSubstr("no acknowledgement for 60 s: scripted"));
}

TEST_F(PublishRunTest, GivesUpWithoutAConnection) {
  publisher_.connected = false;
  const RunResult result = Publish(Options(0.001, 1));
  EXPECT_FALSE(result.complete);
  EXPECT_NEAR(static_cast<double>(result.duration.count()), 60'000, 300);
}

TEST_F(PublishRunTest, ASlowRateIsNoReasonToGiveUp) {
  EXPECT_TRUE(Publish(Options(0.005, 3)).complete);
}

TEST_F(PublishRunTest, WhatIsRefusedMakesTheRunIncomplete) {
  publisher_.refuse_next = 2;
  const RunResult result = Publish(Options(0, 100));
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.acknowledged, 98u);
  EXPECT_EQ(result.refused, 2u);
  EXPECT_THAT(result.problem, HasSubstr("2 refused"));
}

TEST_F(PublishRunTest, AnErrorForGoodEndsIt) {
  publisher_.broken = true;
  const RunResult result = Publish(Options(0, 100));
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.problem, "not authorised");
}

TEST_F(PublishRunTest, StoppedItWaitsForWhatIsDue) {
  stopped = [this] { return publisher_.payloads.size() >= 20; };
  const RunResult result = Publish(Options(10, 0));
  EXPECT_TRUE(result.complete) << result.problem;
  EXPECT_EQ(result.published, 20u);
  EXPECT_EQ(result.acknowledged, 20u);
}

TEST_F(PublishRunTest, StoppedItWaitsNotForEver) {
  publisher_.acknowledges = false;
  stopped = [this] { return publisher_.payloads.size() >= 20; };
  const RunResult result = Publish(Options(10, 0));
  EXPECT_FALSE(result.complete);
  EXPECT_THAT(result.problem, HasSubstr("stopped before all"));
  EXPECT_LE(result.duration, 2s + 6s);
}

TEST_F(PublishRunTest, AGivenStartReplacesTheClock) {
  RunOptions options = Options(0, 7);
  options.start = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};
  Publish(options);
  EXPECT_THAT(publisher_.payloads[0], HasSubstr("2020-01-01T00:00:00.000Z"));
  EXPECT_THAT(publisher_.payloads[2], HasSubstr("2020-01-01T00:00:00.000Z"));
  EXPECT_THAT(publisher_.payloads[3], HasSubstr("2020-01-01T00:00:01.000Z"));
  EXPECT_THAT(publisher_.payloads[6], HasSubstr("2020-01-01T00:00:02.000Z"));
}

TEST(LinePublisherTest, WritesALineForEach) {
  std::FILE* file = std::tmpfile();
  LinePublisher publisher(file);
  publisher.Publish({.tenant = "a", .asset = "b", .payload = "{\"x\":1}"});
  publisher.Publish({.tenant = "a", .asset = "b", .payload = "{\"x\":2}"});
  EXPECT_EQ(publisher.counts().acknowledged, 0u);
  EXPECT_TRUE(publisher.Step(0ms).ok());
  EXPECT_EQ(publisher.counts().acknowledged, 2u);
  std::rewind(file);
  std::string text(64, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  EXPECT_EQ(text, "{\"x\":1}\n{\"x\":2}\n");
  std::fclose(file);
}

TEST(LinePublisherTest, AReaderThatIsGoneIsAnError) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  LinePublisher publisher(full);
  publisher.Publish({.tenant = "a", .asset = "b", .payload = "{}"});
  EXPECT_FALSE(publisher.Step(0ms).ok());
  EXPECT_FALSE(publisher.HasRoom());
  EXPECT_EQ(publisher.counts().acknowledged, 0u);
  std::fclose(full);
}

}  // namespace
}  // namespace tidegate
