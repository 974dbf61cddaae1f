// The search for documents that wait, while databases fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reader/enrich/enrichment.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_fetcher.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using namespace std::chrono_literals;

// Databases in memory; those of `dead` take 10 s to fail.
class FakeCompletions final : public Completions {
 public:
  FakeCompletions(FakeClock& clock, FakeFetcher& fetcher) : clock_(clock), fetcher_(fetcher) {}

  Status EnsureIndex(const Namespace& ns, const std::string&) override { return Ask(ns); }
  Result<std::vector<PendingDocument>> Find(const PendingQuery& query) override {
    if (Status status = Ask(query.ns); !status.ok()) return status.error();
    return waiting[query.ns];
  }
  Result<size_t> Complete(const Namespace& ns, const std::string&, const std::string&,
                          std::span<const Completion> completions) override {
    if (Status status = Ask(ns); !status.ok()) return status.error();
    for (const Completion& completion : completions)
      std::erase_if(waiting[ns], [&](const auto& one) { return one.id == completion.id; });
    return completions.size();
  }

  std::map<Namespace, std::vector<PendingDocument>> waiting;
  std::set<std::string> dead;
  // Calls that failed.
  size_t failed = 0;

 private:
  Status Ask(const Namespace& ns) {
    if (!dead.contains(ns.database)) return {};
    clock_.Advance(10s);
    fetcher_.TimeOut();
    ++failed;
    return Error{ErrorCode::kUnavailable, "no answer"};
  }

  FakeClock& clock_;
  FakeFetcher& fetcher_;
};

class EnrichmentSearchTest : public testing::Test {
 protected:
  EnrichmentSearchTest() {
    auto fetcher = std::make_unique<FakeFetcher>();
    auto completions = std::make_unique<FakeCompletions>(clock_, *fetcher);
    fetcher_ = fetcher.get();
    databases_ = completions.get();
    Enrichment::Options options;
    options.sources = {
        ParseEnrichSource("d", "https://h/{device_id} into=device tenant=*").value()};
    std::vector<Enrichment::Place> places;
    for (const char* database : {"acme", "bolt"}) {
      for (const char* collection : {"alerts", "heartbeats", "telemetry"})
        places.emplace_back(collection, Namespace{database, collection});
    }
    enrichment_ = std::make_unique<Enrichment>(
        options,
        Enrichment::Parts{std::move(fetcher), std::move(completions), clock_, log_, metrics_},
        places);
  }

  void Wait(const Namespace& ns, const std::string& device) {
    databases_->waiting[ns].push_back({.id = "x", .key = device, .since = clock_.Now()});
  }
  void StepFor(std::chrono::seconds time) {
    for (const BootTime end = clock_.SinceBoot() + time; clock_.SinceBoot() < end;) {
      enrichment_->Step(0ms);
      clock_.Advance(500ms);
    }
  }
  double Count(const std::string& name) {
    return metrics_.AddCounter("tidegate_enrich_" + name + "_total", "", {{"source", "d"}}).Value();
  }

  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  FakeClock clock_;
  Metrics metrics_;
  FakeFetcher* fetcher_ = nullptr;
  FakeCompletions* databases_ = nullptr;
  std::unique_ptr<Enrichment> enrichment_;
};

TEST_F(EnrichmentSearchTest, ADeadDatabaseCostsTheOthersATenthOfTheTime) {
  databases_->dead = {"acme"};
  fetcher_->Answer("https://h/t1", 200, "{}");
  Wait({"bolt", "telemetry"}, "t1");
  StepFor(20s);
  EXPECT_TRUE((databases_->waiting[{"bolt", "telemetry"}].empty()));
  EXPECT_EQ(databases_->failed, 1u) << "its other collections are not tried";
  StepFor(300s);
  EXPECT_LE(databases_->failed, 4u);
  databases_->dead.clear();
  Wait({"acme", "alerts"}, "t1");
  StepFor(130s);
  EXPECT_TRUE((databases_->waiting[{"acme", "alerts"}].empty()));
}

// They run into their limits of time while the thread waits for the database.
TEST_F(EnrichmentSearchTest, RequestsThatNobodyDroveSayNothingAboutTheirSource) {
  fetcher_->FallSilent();
  Wait({"bolt", "alerts"}, "t1");
  for (int i = 0; i < 8; ++i) Wait({"bolt", "heartbeats"}, "t" + std::to_string(i));
  enrichment_->Step(0ms);
  ASSERT_EQ(fetcher_->on_the_way(), 8u);
  databases_->dead = {"acme"};
  for (int i = 0; i < 8; ++i) fetcher_->Answer("https://h/t" + std::to_string(i), 200, "{}");
  fetcher_->Speak();
  clock_.Advance(2s);
  StepFor(15s);
  EXPECT_EQ(databases_->failed, 1u);
  EXPECT_EQ(Count("failures"), 0);
  EXPECT_TRUE((databases_->waiting[{"bolt", "alerts"}].empty()));
}

TEST_F(EnrichmentSearchTest, RequestsGoOnBetweenDatabases) {
  databases_->dead = {"bolt"};
  fetcher_->Answer("https://h/t1", 200, "{}");
  Wait({"acme", "alerts"}, "t1");
  enrichment_->Step(0ms);
  EXPECT_EQ(Count("requests"), 1);
  EXPECT_EQ(Count("failures"), 0);
  Document document = MakeDocument("y", R"({"device_id":"t1"})", {"acme", "alerts"});
  enrichment_->Attach("alerts", document);
  EXPECT_EQ(document.attachments.size(), 1u);
}

}  // namespace
}  // namespace tidegate::reader
