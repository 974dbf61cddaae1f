// The counters by tenant, stream and outcome after a write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reader/land/reader_metrics.h"
#include "reader/land/write_tally.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using testing::HasSubstr;
using testing::Not;

class WriteMetricsTest : public testing::Test {
 protected:
  void Write(const Stream& stream, const std::string& tenant, WriteOutcome outcome) {
    documents_.push_back(MakeDocument("id", "{}"));
    documents_.back().stream = &stream;
    documents_.back().tenant = tenant;
    results_.push_back({outcome, {}});
  }
  std::string Text() {
    reader_metrics_.CountWrite(TallyWrite(documents_, results_));
    documents_.clear();
    results_.clear();
    return metrics_.Text();
  }

  FakeClock clock_;
  Metrics metrics_;
  ReaderMetrics reader_metrics_{metrics_};
  const Stream beats_{.name = "beats", .topic = "beats", .collection = "beats"};
  const Stream sales_{
      .name = "sales", .topic = "sold", .collection = "sold", .kind = StreamKind::kSales};
  std::vector<Document> documents_;
  std::vector<WriteResult> results_;
};

TEST_F(WriteMetricsTest, OutcomesAreCountedAndSalesOnTheirOwn) {
  Write(beats_, "acme", WriteOutcome::kLanded);
  Write(sales_, "acme", WriteOutcome::kLanded);
  Write(sales_, "acme", WriteOutcome::kDuplicate);
  Write(beats_, "globex", WriteOutcome::kRejected);
  Write(sales_, "", WriteOutcome::kRetry);
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("mongodb_writes_total{status=\"success\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("mongodb_writes_total{status=\"duplicate\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("mongodb_writes_total{status=\"error\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("sales_events_processed_total{status=\"success\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sales_events_processed_total{status=\"duplicate\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sales_events_processed_total{status=\"error\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tidegate_reader_tenant_records_landed_total{tenant=\"acme\"} 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("globex")));
}

TEST_F(WriteMetricsTest, TenantsBeyondTheBoundAreOther) {
  for (size_t i = 0; i < ReaderMetrics::kMaxTenants + 7; ++i)
    Write(beats_, "tenant-" + std::to_string(1'000 + i), WriteOutcome::kLanded);
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("{tenant=\"tenant-1099\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("tenant-1100")));
  EXPECT_THAT(text, HasSubstr("{tenant=\"other\"} 7\n"));
  Write(beats_, "tenant-1000", WriteOutcome::kLanded);
  EXPECT_THAT(Text(), HasSubstr("{tenant=\"tenant-1000\"} 2\n"));
}

TEST_F(WriteMetricsTest, TheRateOfSalesIsThatSinceTheLastExport) {
  reader_metrics_.Refresh(clock_.SinceBoot(), clock_.Now(), std::chrono::seconds(1));
  for (int i = 0; i < 30; ++i) Write(sales_, "acme", WriteOutcome::kLanded);
  Text();
  clock_.Advance(std::chrono::seconds(10));
  reader_metrics_.Refresh(clock_.SinceBoot(), clock_.Now(), std::chrono::seconds(11));
  EXPECT_THAT(metrics_.Text(), HasSubstr("sales_events_per_second 3\n"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("service_uptime_seconds 11\n"));
  clock_.Advance(std::chrono::seconds(10));
  reader_metrics_.Refresh(clock_.SinceBoot(), clock_.Now(), std::chrono::seconds(21));
  EXPECT_THAT(metrics_.Text(), HasSubstr("sales_events_per_second 0\n"));
}

TEST_F(WriteMetricsTest, TheLagInMillisecondsGrowsUntilThereIsNone) {
  const auto lag = [&](const std::string& figure) {
    reader_metrics_.Refresh(clock_.SinceBoot(), clock_.Now(), std::chrono::seconds(1));
    EXPECT_THAT(
        metrics_.Text(),
        HasSubstr("kafka_consumer_lag_milliseconds{partition=\"1\",topic=\"t\"} " + figure));
  };
  const Partition partition{"t", 1};
  reader_metrics_.SetWaitingSince(partition, clock_.Now() - std::chrono::seconds(1));
  lag("1000\n");
  clock_.Advance(std::chrono::hours(1));
  lag("3601000\n");
  clock_.StepWall(-std::chrono::hours(2));
  lag("0\n");
  reader_metrics_.SetWaitingSince(partition, std::nullopt);
  lag("0\n");
  reader_metrics_.Forget({{partition}});
  lag("Nan\n");
}

}  // namespace
}  // namespace tidegate::reader
