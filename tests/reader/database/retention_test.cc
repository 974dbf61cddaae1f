// Documents that are kept for a while: what the decoder and the upkeep do about it.
#include <gtest/gtest.h>

#include "reader/land/upkeep.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/memory_projection_store.h"

namespace tidegate::reader {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class RetentionTest : public testing::Test {
 protected:
  Document Decode(const std::string& tenant) {
    SourceMessage message;
    message.partition = kHeartbeats0;
    message.value = R"({"asset_id":"a","tenant_id":")" + tenant + R"("})";
    return std::get<Document>(decoder_.Decode(message, clock_.Now()));
  }
  void Step() { ASSERT_TRUE(upkeep_.Step(milliseconds(0)).ok()); }

  FakeDocumentStore store_;
  MemoryDatabase memory_;
  MemoryProjectionStore projections_{memory_};
  Decoder decoder_{{.retention = {.standard = hours(24), .tenants = {{"ACME", hours(1)}}}},
                   StreamTable::Make({BuiltInStreams()[0]}).value()};
  FakeClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics metrics_;
  ReaderMetrics reader_metrics_{metrics_};
  StatusBoard board_{1};
  IndexRequests requests_;
  Upkeep upkeep_{{.expiry = {.documents = 3}, .settle = milliseconds(0)},
                 {requests_, store_, projections_, decoder_, clock_, log_, reader_metrics_, board_},
                 0};
};

TEST_F(RetentionTest, ADocumentTellsWhenItMayGoCountedFromItsLanding) {
  EXPECT_EQ(Decode("acme").provenance.expires_at, clock_.Now() + hours(1));
  EXPECT_EQ(Decode("globex").provenance.expires_at, clock_.Now() + hours(24));
}

TEST_F(RetentionTest, ACollectionHasAnExpiryIndexOnlyIfSomethingExpires) {
  EXPECT_EQ(decoder_.IndexesOf(BuiltInStreams()[0]).back().name, ExpiryIndex().name);
  const Decoder keeps({}, StreamTable::Make({BuiltInStreams()[0]}).value());
  for (const Index& index : keeps.IndexesOf(BuiltInStreams()[0])) EXPECT_FALSE(index.expires);
}

TEST_F(RetentionTest, WhatHasExpiredGoesInStepsUntilNothingIsLeft) {
  store_.SetExpired(8);
  Step();  // Makes the indexes, and then removes the first three.
  EXPECT_EQ(store_.expired_left(), 5u);
  Step();
  Step();
  EXPECT_EQ(store_.expired_left(), 0u);
  EXPECT_NE(metrics_.Text().find("tidegate_reader_expired_total 8"), std::string::npos);
  store_.SetExpired(2);
  Step();
  EXPECT_EQ(store_.expired_left(), 2u) << "it asks now and then, and not at every step";
  clock_.Advance(std::chrono::seconds(10));
  Step();
  EXPECT_EQ(store_.expired_left(), 0u);
}

TEST_F(RetentionTest, ADatabaseThatIsAwayIsNotAskedToRemoveAnything) {
  store_.SetExpired(8);
  store_.TakeDown();
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(std::chrono::seconds(1));
    Step();
  }
  EXPECT_EQ(store_.expired_left(), 8u);
}

}  // namespace
}  // namespace tidegate::reader
