#include "reader/land/upkeep.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class UpkeepTest : public testing::Test {
 protected:
  Upkeep& upkeep() {
    if (!upkeep_) {
      upkeep_.emplace(Upkeep::Options{.retry = seconds(30), .settle = settle_},
                      Upkeep::Parts{requests_, store_, projections_, decoder_, clock_, log_,
                                    reader_metrics_, board_},
                      0);
    }
    return *upkeep_;
  }
  void Steps(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(upkeep().Step(milliseconds(0)).ok());
  }
  bool Indexed(const Namespace& ns) { return store_.indexed().contains(ns); }

  milliseconds settle_{0};
  IndexRequests requests_;
  FakeDocumentStore store_;
  MemoryDatabase memory_;
  MemoryProjectionStore projections_{memory_};
  Decoder decoder_{{}, BuiltInTable()};
  FakeClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics metrics_;
  ReaderMetrics reader_metrics_{metrics_};
  StatusBoard board_{1};
  std::optional<Upkeep> upkeep_;
};

TEST_F(UpkeepTest, TheKnownCollectionsAreIndexedAndTheDatabaseIsMigrated) {
  Steps(10);
  for (const Stream& stream : BuiltInStreams())
    EXPECT_TRUE(Indexed({"tidegate", stream.collection})) << stream.name;
  EXPECT_TRUE(memory_.projections.contains({{"tidegate", kMigrations}, "1"}));
}

TEST_F(UpkeepTest, WhatAWorkerRequestsIsIndexed) {
  requests_.Add({"tidegate_new", "heartbeats"}, BuiltInStreams()[0]);
  Steps(10);
  EXPECT_TRUE(Indexed({"tidegate_new", "heartbeats"}));
}

TEST_F(UpkeepTest, ANewCollectionHasTimeForItsFirstDocuments) {
  settle_ = seconds(3);
  requests_.Add({"tidegate_new", "heartbeats"}, BuiltInStreams()[0]);
  Steps(10);
  EXPECT_FALSE(Indexed({"tidegate_new", "heartbeats"}));
  clock_.Advance(seconds(3));
  Steps(10);
  EXPECT_TRUE(Indexed({"tidegate_new", "heartbeats"}));
}

TEST_F(UpkeepTest, ADatabaseThatFailsIsTriedAgainAndDelaysNoOther) {
  store_.TakeDown("tidegate_acme");
  requests_.Add({"tidegate_acme", "heartbeats"}, BuiltInStreams()[0]);
  requests_.Add({"tidegate_bolt", "heartbeats"}, BuiltInStreams()[0]);
  Steps(10);
  EXPECT_TRUE(Indexed({"tidegate_bolt", "heartbeats"}));
  EXPECT_EQ(board_.Read()[0].pending, 1u);
  store_.Restore("tidegate_acme");
  Steps(10);
  EXPECT_FALSE(Indexed({"tidegate_acme", "heartbeats"})) << "not before its time";
  clock_.Advance(seconds(31));
  Steps(2);
  EXPECT_TRUE(Indexed({"tidegate_acme", "heartbeats"}));
}

// It accepts commands and answers none of them within its 30 s.
TEST_F(UpkeepTest, AServerThatHangsDelaysTheOthersOnce) {
  Steps(10);
  store_.TakeDown("tidegate_acme");
  size_t hung = 0;
  store_.OnEnsureIndexes([&](const Namespace& ns) {
    if (ns.database != "tidegate_acme") return;
    clock_.Advance(seconds(30));
    ++hung;
  });
  for (const char* tenant : {"acme", "bolt"}) {
    for (int i = 0; i < 10; ++i)
      requests_.Add({std::string("tidegate_") + tenant, "c" + std::to_string(i)},
                    BuiltInStreams()[0]);
  }
  Steps(30);
  clock_.Advance(seconds(1));
  Steps(1);
  EXPECT_EQ(hung, 1u);
  EXPECT_EQ(board_.Read()[0].pending, 10u);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Indexed({"tidegate_bolt", "c" + std::to_string(i)}));
  for (int i = 0; i < 600; ++i) {
    clock_.Advance(seconds(1));
    Steps(1);
  }
  EXPECT_LE(hung, 3u) << "it costs the others a tenth of the time";
  store_.Restore("tidegate_acme");
  store_.OnEnsureIndexes({});
  for (int i = 0; i < 30; ++i) {
    clock_.Advance(seconds(30));
    Steps(1);
  }
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Indexed({"tidegate_acme", "c" + std::to_string(i)}));
  EXPECT_EQ(board_.Read()[0].pending, 0u);
}

TEST_F(UpkeepTest, AMigrationThatTakesLongIsNotRepeatedAtOnce) {
  store_.TakeDown();
  size_t asked = 0;
  store_.OnEnsureIndexes([&](const Namespace&) {
    clock_.Advance(seconds(60));
    ++asked;
  });
  Steps(1);
  const size_t first = asked;
  Steps(5);
  EXPECT_EQ(asked, first);
}

TEST_F(UpkeepTest, AMigrationWaitsForTheDatabase) {
  store_.TakeDown();
  Steps(3);
  EXPECT_TRUE(memory_.projections.empty());
  store_.Restore();
  clock_.Advance(seconds(31));
  Steps(1);
  EXPECT_TRUE(memory_.projections.contains({{"tidegate", kMigrations}, "1"}));
}

TEST_F(UpkeepTest, ADatabaseOfALaterVersionIsLeftAlone) {
  const std::string next = std::to_string(AllMigrations().size() + 1);
  memory_.projections[{{"tidegate", kMigrations}, next}].revision = 1;
  const Status status = upkeep().Step(milliseconds(0));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
  EXPECT_FALSE(Indexed({"tidegate_new", "heartbeats"}));
}

}  // namespace
}  // namespace tidegate::reader
