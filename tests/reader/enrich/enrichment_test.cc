#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reader/database/landing.h"
#include "reader/database/queries.h"
#include "reader/enrich/enrichment.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_fetcher.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Namespace kPlace{"fleet", "heartbeats"};
constexpr std::string_view kSource =
    "https://api.example.com/d/{device_id} into=device ttl=1h stream=heartbeat";

// The enrichment on a scripted source and a real landing.
class EnrichmentTest : public testing::Test {
 protected:
  EnrichmentTest() : landing_(OpenLanding("sqlite:" + folder_.File("landing.db")).value()) {
    store_ = landing_->NewStore(log_).value();
    options_.sources = {ParseEnrichSource("device", kSource).value()};
    Restart();
  }

  void Restart() {
    auto fetcher = std::make_unique<FakeFetcher>();
    fetcher_ = fetcher.get();
    completions_ = landing_->NewCompletions().value();
    metrics_ = std::make_unique<Metrics>();
    const Enrichment::Place place{"heartbeat", kPlace};
    enrichment_ = std::make_unique<Enrichment>(
        options_,
        Enrichment::Parts{std::move(fetcher), landing_->NewCompletions().value(), clock_, log_,
                          *metrics_},
        std::span(&place, 1));
  }

  Document Heartbeat(std::string_view id, std::string_view device) {
    Document document = MakeDocument(
        id, R"({"device_id":")" + std::string(device) + R"(","asset_id":"truck-1"})", kPlace);
    document.provenance.received_at = clock_.Now();
    return document;
  }

  Document Attached(std::string_view id, std::string_view device) {
    Document document = Heartbeat(id, device);
    enrichment_->Attach("heartbeat", document);
    return document;
  }

  void Land(std::string_view id, std::string_view device) {
    const Document document = Attached(id, device);
    ASSERT_TRUE(store_->Write({&document, 1}).ok());
  }

  void Pass(std::chrono::seconds time) {
    clock_.Advance(time);
    enrichment_->Step(0ms);
  }

  std::vector<std::string> Waiting() {
    const auto found =
        completions_->Find({.ns = kPlace, .mark = "pending_device", .key = "device_id"});
    EXPECT_TRUE(found.ok()) << (found.ok() ? "" : found.error().message);
    std::vector<std::string> ids;
    if (found.ok())
      for (const PendingDocument& document : *found) ids.push_back(document.id);
    return ids;
  }

  double Count(const std::string& name) {
    return metrics_->AddCounter("tidegate_enrich_" + name + "_total", "", {{"source", "device"}})
        .Value();
  }

  void Answer(std::string_view device, long status, std::string_view body) {
    fetcher_->Answer("https://api.example.com/d/" + std::string(device), status, body);
  }

  TemporaryFolder folder_;
  Log log_{LogLevel::kError};
  FakeClock clock_;
  std::unique_ptr<Landing> landing_;
  std::unique_ptr<DocumentStore> store_;
  std::unique_ptr<Completions> completions_;
  std::unique_ptr<Metrics> metrics_;
  Enrichment::Options options_;
  FakeFetcher* fetcher_ = nullptr;
  std::unique_ptr<Enrichment> enrichment_;
};

TEST_F(EnrichmentTest, WhatIsKnownIsInTheDocumentBeforeItLands) {
  Answer("t1", 200, R"({"model":"x"})");
  Attached("a", "t1");
  enrichment_->Step(0ms);
  const Document document = Attached("b", "t1");
  ASSERT_THAT(document.attachments, SizeIs(1));
  EXPECT_EQ(document.attachments[0].name, "device");
  EXPECT_THAT(document.pending, IsEmpty());
  EXPECT_THAT(fetcher_->asked(), ElementsAre("https://api.example.com/d/t1"));
}

TEST_F(EnrichmentTest, AnAnswerThatComesWhileTheBatchWaitsIsTaken) {
  Answer("t1", 200, "{}");
  Document document = Attached("a", "t1");
  EXPECT_THAT(document.pending, ElementsAre("pending_device"));
  enrichment_->Step(0ms);
  enrichment_->Attach("heartbeat", document);
  EXPECT_THAT(document.pending, IsEmpty());
  EXPECT_THAT(document.attachments, SizeIs(1));
  enrichment_->Attach("heartbeat", document);
  EXPECT_THAT(document.attachments, SizeIs(1));
}

TEST_F(EnrichmentTest, ASilentSourceHoldsNothingAndTheDocumentIsCompletedLater) {
  Answer("t1", 200, R"({"model":"x"})");
  fetcher_->FallSilent();
  Land("a", "t1");
  Pass(2s);
  EXPECT_THAT(Waiting(), ElementsAre("a"));
  fetcher_->Speak();
  Pass(2s);
  Pass(2s);
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_EQ(Count("completed"), 1);
}

TEST_F(EnrichmentTest, WhatWaitsIsFoundAgainAfterARestart) {
  fetcher_->FallSilent();
  Land("a", "t1");
  Pass(2s);
  Restart();
  Answer("t1", 200, "{}");
  Pass(2s);
  Pass(2s);
  Pass(2s);
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_EQ(Count("completed"), 1);
}

TEST_F(EnrichmentTest, AFailedRequestIsMadeAgainAndTheDocumentWaits) {
  Land("a", "t1");
  Pass(2s);
  EXPECT_EQ(Count("failures"), 1);
  EXPECT_THAT(Waiting(), ElementsAre("a"));
  Answer("t1", 200, "{}");
  for (int i = 0; i < 20; ++i) Pass(2s);
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_EQ(Count("failures"), 1);
}

TEST_F(EnrichmentTest, AKeyThatTheSourceDoesNotKnowIsAskedOnceAndNothingWaits) {
  Answer("t1", 404, "");
  Land("a", "t1");
  for (int i = 0; i < 10; ++i) Pass(2s);
  EXPECT_THAT(Waiting(), IsEmpty());
  const Document document = Attached("b", "t1");
  EXPECT_THAT(document.pending, IsEmpty());
  EXPECT_THAT(document.attachments, IsEmpty());
  EXPECT_THAT(fetcher_->asked(), SizeIs(1));
}

TEST_F(EnrichmentTest, OneKeyIsAskedOnceForManyDocuments) {
  for (const char* id : {"a", "b", "c"}) Land(id, "t1");
  Answer("t1", 200, "{}");
  Pass(2s);
  Pass(2s);
  EXPECT_THAT(fetcher_->asked(), SizeIs(1));
  EXPECT_EQ(Count("completed"), 3);
}

TEST_F(EnrichmentTest, RequestsOnTheirWayAreBounded) {
  fetcher_->FallSilent();
  for (int i = 0; i < 50; ++i) Attached("a", "t" + std::to_string(i));
  enrichment_->Step(0ms);
  EXPECT_EQ(fetcher_->on_the_way(), options_.concurrency);
}

TEST_F(EnrichmentTest, KeysThatWaitAreBoundedAndTheRestIsFoundInTheDatabase) {
  options_.max_waiting = 10;
  Restart();
  for (int i = 0; i < 50; ++i) {
    Answer("t" + std::to_string(i), 200, "{}");
    Land("d" + std::to_string(i), "t" + std::to_string(i));
  }
  EXPECT_EQ(Count("deferred"), 40);
  for (int i = 0; i < 60; ++i) Pass(2s);
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_EQ(Count("completed"), 50);
}

TEST_F(EnrichmentTest, ASourceThatFailsIsLeftAlone) {
  for (int i = 0; i < 200; ++i) Attached("a", "t" + std::to_string(i));
  for (int i = 0; i < 20; ++i) enrichment_->Step(0ms);
  // The first go together, before any has failed.
  EXPECT_LE(fetcher_->asked().size(), options_.concurrency);
}

TEST_F(EnrichmentTest, ADocumentThatWaitsForTooLongIsLeftAsItLanded) {
  Land("a", "t1");
  clock_.Advance(25h);
  for (int i = 0; i < 3; ++i) Pass(2s);
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_EQ(Count("given_up"), 1);
  EXPECT_EQ(Count("completed"), 0);
}

TEST_F(EnrichmentTest, MoreThanAPageOfOneMomentIsCompleted) {
  fetcher_->FallSilent();
  for (int i = 0; i < 1'200; ++i) Land("d" + std::to_string(i), "t1");
  Answer("t1", 200, "{}");
  fetcher_->Speak();
  for (int i = 0; i < 6; ++i) Pass(2s);
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_EQ(Count("completed"), 1'200);
}

// Two tenants have a device of the same name: each document gains its own tenant's answer, before
// it lands and after a restart.
TEST_F(EnrichmentTest, NoTenantGetsAnothersAnswer) {
  options_.sources = {
      ParseEnrichSource("device", "https://api.example.com/{tenant_id}/{device_id} into=device")
          .value()};
  Restart();
  for (const char* tenant : {"acme", "globex"})
    fetcher_->Answer("https://api.example.com/" + std::string(tenant) + "/t1", 200,
                     "\"of " + std::string(tenant) + "\"");
  const auto of = [this](const std::string& id, const std::string& tenant) {
    Document document = Heartbeat(id, "t1");
    document.tenant = tenant;
    enrichment_->Attach("heartbeat", document);
    return document;
  };
  const Document late = of("late", "globex");
  ASSERT_TRUE(store_->Write({&late, 1}).ok());
  of("a", "acme");
  enrichment_->Step(0ms);
  for (const char* tenant : {"acme", "globex"}) {
    const Document document = of("b", tenant);
    ASSERT_THAT(document.attachments, SizeIs(1));
    EXPECT_EQ(document.attachments[0].value->root().as_string(), "of " + std::string(tenant));
  }
  Pass(2s);
  const auto queries = OpenQueries("sqlite:" + folder_.File("landing.db"), clock_).value();
  const auto page = queries->NewStore().value()->Find({.ns = kPlace}, {}, 1s);
  ASSERT_TRUE(page.ok());
  ASSERT_THAT(page->documents, SizeIs(1));
  EXPECT_NE(page->documents[0].json.find("of globex"), std::string::npos);
}

TEST_F(EnrichmentTest, OtherStreamsAreLeftAlone) {
  Document document = Heartbeat("a", "t1");
  enrichment_->Attach("telemetry", document);
  EXPECT_THAT(document.pending, IsEmpty());
  enrichment_->Step(0ms);
  EXPECT_THAT(fetcher_->asked(), IsEmpty());
}

}  // namespace
}  // namespace tidegate::reader
