#include "core/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tidegate {
namespace {

using testing::HasSubstr;

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

TEST(MetricsDeathTest, ANameOfTwoKindsAndAnInvalidNameAbort) {
  Metrics metrics;
  metrics.AddCounter("tidegate_test_total", "Tests.");
  EXPECT_EXIT(metrics.AddGauge("tidegate_test_total", "Tests."), testing::KilledBySignal(SIGABRT),
              "a metric's name is valid and of one kind \\(tidegate_test_total\\)");
  EXPECT_EXIT(metrics.AddCounter("tidegate-test", "Tests."), testing::KilledBySignal(SIGABRT),
              "a metric's name is valid");
  EXPECT_EXIT(metrics.AddHistogram("tidegate_test_seconds", "Time.", {1, 0.1}),
              testing::KilledBySignal(SIGABRT), "bounds ascend");
}

}  // namespace
}  // namespace tidegate
