// Tests of what every Store promises: instantiate StoreContract with a world that opens the store.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "store/store.h"
#include "tests/support/store_fixture.h"

namespace tidegate {

inline constexpr uint64_t kContractStoreBytes = 1 << 20;

class StoreWorld {
 public:
  virtual ~StoreWorld() = default;
  // Returns an empty store of kContractStoreBytes. Called once.
  virtual Store& Open(bool drop_oldest) = 0;
  // Returns the same store after a restart without a warning.
  virtual Store& Reopen() = 0;
};

using StoreWorldFactory = std::function<std::unique_ptr<StoreWorld>()>;

class StoreContract : public testing::TestWithParam<StoreWorldFactory> {
 protected:
  Store& Open(bool drop_oldest = true) { return world_->Open(drop_oldest); }
  Store& Reopen() { return world_->Reopen(); }

  // Bytes that do not compress, so that a limit is reached soon.
  std::vector<Record> Noise(size_t bytes, RecordClass record_class = RecordClass::kHeartbeat,
                            const std::string& tenant = "acme") {
    std::string value(bytes, '\0');
    for (char& c : value) c = static_cast<char>('0' + random_() % 75);
    return {MakeRecord(std::move(value), record_class, tenant)};
  }

  FleetSource fleet_;

 private:
  std::mt19937_64 random_{7};
  std::unique_ptr<StoreWorld> world_ = GetParam()();
};

inline std::vector<Seq> SeqsOf(const std::vector<Batch>& batches) {
  std::vector<Seq> seqs;
  for (const Batch& batch : batches) seqs.push_back(batch.first_seq);
  return seqs;
}

TEST_P(StoreContract, AnEmptyStoreHasNothing) {
  Store& store = Open();
  EXPECT_TRUE(ReadAll(store).empty());
  EXPECT_EQ(store.Usage().total_records(), 0u);
  EXPECT_EQ(store.Usage().oldest, std::nullopt);
  EXPECT_EQ(store.epoch().size(), 8u);
}

TEST_P(StoreContract, WhatIsAppendedComesBackWholeAndInOrder) {
  Store& store = Open();
  const auto first = fleet_.Take(3);
  const auto second = fleet_.Take(2);
  const ClockStamp stamp{"boot", BootTime(5), WallTime(std::chrono::milliseconds(1234)), true};
  ASSERT_EQ(*AppendBatch(store, first, stamp), 1u);
  ASSERT_EQ(*AppendBatch(store, second, stamp), 4u);
  const auto batches = ReadAll(store);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].records, first);
  EXPECT_EQ(batches[1].records, second);
  EXPECT_EQ(batches[0].first_seq, 1u);
  EXPECT_EQ(batches[1].first_seq, 4u);
  EXPECT_EQ(batches[1].stamp.boot_id, "boot");
  EXPECT_EQ(batches[1].stamp.since_boot, stamp.since_boot);
  EXPECT_EQ(batches[1].stamp.wall, stamp.wall);
  EXPECT_TRUE(batches[1].stamp.synced);
  EXPECT_EQ(store.Usage().oldest, stamp.wall);
}

TEST_P(StoreContract, ArrivalsAndInputsComeBackWithTheRecords) {
  Store& store = Open();
  auto heartbeats = fleet_.Take(3);
  const auto readings = fleet_.Take(1, RecordClass::kReading);
  const auto alerts = fleet_.Take(1, RecordClass::kAlert);
  heartbeats[1].time_source = TimeSource::kGateway;
  const std::chrono::milliseconds none{};
  const std::vector<Arrival> arrivals{
      {none, 0, 0, 65'535}, {std::chrono::milliseconds(123), 2, 1, std::nullopt}, {none, 3, 0, 1}};
  const std::vector<Arrival> reading{{none, 1, 1, 7}};
  const std::vector<std::string> inputs{"depot", "yard"};
  AppendRequest request;
  request.batches = {{RecordClass::kHeartbeat, heartbeats, arrivals},
                     {RecordClass::kReading, readings, reading},
                     {RecordClass::kAlert, alerts}};
  request.inputs = inputs;
  ASSERT_TRUE(store.Append(request).ok());
  const auto batches = ReadAll(store);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_TRUE(batches[0].arrivals.empty());
  EXPECT_TRUE(batches[0].inputs.empty());
  EXPECT_EQ(batches[1].arrivals, arrivals);
  EXPECT_EQ(batches[1].inputs, inputs);
  EXPECT_EQ(batches[2].arrivals, reading);
  const auto replayed = store.Replay(RecordClass::kHeartbeat, 0);
  ASSERT_TRUE(replayed.ok() && *replayed);
  EXPECT_EQ((*replayed)->arrivals, arrivals);
}

TEST_P(StoreContract, MoreUrgentClassesComeFirst) {
  Store& store = Open();
  for (const auto record_class :
       {RecordClass::kReading, RecordClass::kHeartbeat, RecordClass::kAlert}) {
    ASSERT_TRUE(AppendBatch(store, fleet_.Take(1, record_class)).ok());
  }
  EXPECT_THAT(SeqsOf(ReadAll(store)), testing::ElementsAre(3, 2, 1));
}

TEST_P(StoreContract, OneRequestMayHoldBatchesOfSeveralClasses) {
  Store& store = Open();
  const auto heartbeats = fleet_.Take(5);
  const auto alerts = fleet_.Take(2, RecordClass::kAlert);
  AppendRequest request;
  request.batches = {{RecordClass::kHeartbeat, heartbeats}, {RecordClass::kAlert, alerts}};
  ASSERT_EQ(*store.Append(request), 1u);
  const auto batches = ReadAll(store);
  EXPECT_THAT(SeqsOf(batches), testing::ElementsAre(6, 1));
  EXPECT_EQ(batches[0].records, alerts);
  EXPECT_EQ(*AppendBatch(store, heartbeats), 8u);
}

TEST_P(StoreContract, ACursorPassesEachClassByItself) {
  Store& store = Open();
  ASSERT_TRUE(AppendBatch(store, fleet_.Take(1)).ok());
  ASSERT_TRUE(AppendBatch(store, fleet_.Take(1)).ok());
  ASSERT_TRUE(AppendBatch(store, fleet_.Take(1, RecordClass::kAlert)).ok());
  Cursor cursor;
  cursor.last[static_cast<size_t>(RecordClass::kAlert)] = 3;
  cursor.last[static_cast<size_t>(RecordClass::kHeartbeat)] = 1;
  EXPECT_EQ((**store.Next(cursor)).first_seq, 2u);
}

TEST_P(StoreContract, ACursorAtTheLargestSeqLeavesAClassOut) {
  Store& store = Open();
  ASSERT_TRUE(AppendBatch(store, fleet_.Take(1, RecordClass::kAlert)).ok());
  ASSERT_TRUE(AppendBatch(store, fleet_.Take(1, RecordClass::kReading)).ok());
  Cursor cursor;
  cursor.last.fill(kMaxSeq);
  EXPECT_FALSE(store.Next(cursor).value().has_value());
  cursor.last[static_cast<size_t>(RecordClass::kReading)] = 0;
  EXPECT_EQ((**store.Next(cursor)).record_class, RecordClass::kReading);
}

TEST_P(StoreContract, WhatIsDeliveredIsGone) {
  Store& store = Open();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(AppendBatch(store, fleet_.Take(2)).ok());
  ReadAll(store);
  store.Delivered(RecordClass::kHeartbeat, 3);
  EXPECT_THAT(SeqsOf(ReadAll(store)), testing::ElementsAre(1, 5));
  EXPECT_EQ(store.Usage().total_records(), 4u);
  EXPECT_EQ(store.Usage().batches, 2u);
  ASSERT_TRUE(store.Flush().ok());
  EXPECT_THAT(SeqsOf(ReadAll(store)), testing::ElementsAre(1, 5));
  EXPECT_EQ(store.Usage().total_records(), 4u);
}

TEST_P(StoreContract, DeliveredTwiceOrUnknownChangesNothing) {
  Store& store = Open();
  ASSERT_TRUE(AppendBatch(store, fleet_.Take(2)).ok());
  ASSERT_TRUE(AppendBatch(store, fleet_.Take(2)).ok());
  ReadAll(store);
  store.Delivered(RecordClass::kHeartbeat, 1);
  store.Delivered(RecordClass::kHeartbeat, 1);
  store.Delivered(RecordClass::kHeartbeat, 2);
  store.Delivered(RecordClass::kAlert, 3);
  ASSERT_TRUE(store.Flush().ok());
  store.Delivered(RecordClass::kHeartbeat, 1);
  ASSERT_TRUE(store.Flush().ok());
  EXPECT_THAT(SeqsOf(ReadAll(store)), testing::ElementsAre(3));
  EXPECT_EQ(store.Usage().total_records(), 2u);
}

TEST_P(StoreContract, SeqsAreNotReusedWhenTheStoreHasBecomeEmpty) {
  Store& store = Open();
  ASSERT_EQ(*AppendBatch(store, fleet_.Take(7)), 1u);
  ReadAll(store);
  store.Delivered(RecordClass::kHeartbeat, 1);
  ASSERT_TRUE(store.Flush().ok());
  Store& again = Reopen();
  EXPECT_EQ(again.Usage().batches, 0u);
  EXPECT_EQ(*AppendBatch(again, fleet_.Take(1)), 8u);
}

TEST_P(StoreContract, DeadLettersAloneTakeNoSeq) {
  Store& store = Open();
  const DeadLetter letter{"in", "topic", "not JSON", "\x01\x02", WallTime{}};
  AppendRequest request;
  request.dead_letters = {&letter, 1};
  ASSERT_EQ(*store.Append(request), 1u);
  ASSERT_EQ(*AppendBatch(store, fleet_.Take(1)), 1u);
  EXPECT_EQ(store.Usage().dead_letters, 1u);
}

TEST_P(StoreContract, StopReadingRefusesUntilThereIsRoom) {
  Store& store = Open(false);
  std::vector<Seq> seqs;
  Result<Seq> appended = Seq{0};
  while ((appended = AppendBatch(store, Noise(30'000))).ok()) seqs.push_back(*appended);
  EXPECT_EQ(appended.error().code, ErrorCode::kFull);
  EXPECT_EQ(SeqsOf(ReadAll(store)), seqs);
  ASSERT_GT(seqs.size(), 5u);
  for (size_t i = 0; i < 4; ++i) store.Delivered(RecordClass::kHeartbeat, seqs[i]);
  ASSERT_TRUE(AppendBatch(store, Noise(30'000)).ok());
}

TEST_P(StoreContract, DropOldestGivesUpTheLowestClassAndLeavesAGapRecord) {
  Store& store = Open();
  ASSERT_TRUE(AppendBatch(store, Noise(1'000, RecordClass::kAlert)).ok());
  ASSERT_TRUE(AppendBatch(store, Noise(30'000, RecordClass::kReading, "other")).ok());
  Seq last = 0;
  for (int i = 0; i < 60; ++i) last = *AppendBatch(store, Noise(30'000));
  const auto batches = ReadAll(store);
  EXPECT_EQ(batches.front().record_class, RecordClass::kAlert);
  EXPECT_EQ(batches.back().first_seq, last);
  EXPECT_EQ(store.Usage().records[static_cast<size_t>(RecordClass::kReading)], 0u);
  std::string gaps;
  for (const Batch& batch : batches) {
    if (batch.record_class == RecordClass::kGap) gaps += batch.records[0].value;
  }
  EXPECT_THAT(gaps, testing::HasSubstr(R"("tenant_id":"other")"));
  EXPECT_THAT(
      gaps, testing::HasSubstr(
                R"("class":"reading","first_seq":2,"last_seq":2,"count":1,"reason":"store full")"));
  EXPECT_THAT(gaps, testing::HasSubstr(R"("class":"heartbeat","first_seq":3,)"));
}

TEST_P(StoreContract, WhatCannotBeDeliveredIsDroppedBeforeWhatWaits) {
  Store& store = Open();
  const Seq stuck = *AppendBatch(store, Noise(30'000));
  ReadAll(store);
  store.Park(RecordClass::kHeartbeat, stuck);
  const Seq waiting = *AppendBatch(store, Noise(30'000, RecordClass::kReading));
  const auto holds = [&](RecordClass record_class, Seq seq) {
    const auto batch = store.Replay(record_class, seq - 1);
    return batch.ok() && *batch && (*batch)->first_seq == seq;
  };
  while (holds(RecordClass::kHeartbeat, stuck)) {
    ASSERT_TRUE(AppendBatch(store, Noise(30'000)).ok());
  }
  EXPECT_TRUE(holds(RecordClass::kReading, waiting));
  const auto batches = ReadAll(store);
  EXPECT_THAT(batches.front().records[0].value, testing::HasSubstr(R"("first_seq":1,)"));
}

TEST_P(StoreContract, DeliveryOfWhatWasGivenUpChangesNothing) {
  Store& store = Open();
  ASSERT_TRUE(AppendBatch(store, Noise(30'000)).ok());
  ASSERT_EQ(ReadAll(store).size(), 1u);
  for (int i = 0; i < 80; ++i) {
    ASSERT_TRUE(AppendBatch(store, Noise(30'000)).ok());
    ReadAll(store);  // All are handed out, so one of them has to be dropped.
  }
  const uint64_t records = store.Usage().total_records();
  store.Delivered(RecordClass::kHeartbeat, 1);
  EXPECT_EQ(store.Usage().total_records(), records);
}

TEST_P(StoreContract, WhatCanNeverFitIsRejected) {
  Store& store = Open();
  const auto appended = AppendBatch(store, Noise(2 * kContractStoreBytes));
  ASSERT_FALSE(appended.ok());
  EXPECT_EQ(appended.error().code, ErrorCode::kRejected);
  EXPECT_TRUE(AppendBatch(store, Noise(1'000)).ok());
}

TEST_P(StoreContract, EverythingSurvivesARestart) {
  Store& before = Open();
  const std::string epoch = before.epoch();
  const auto records = fleet_.Take(50);
  ASSERT_TRUE(AppendBatch(before, records).ok());
  ASSERT_TRUE(AppendBatch(before, fleet_.Take(4, RecordClass::kAlert)).ok());
  Store& store = Reopen();
  EXPECT_EQ(store.epoch(), epoch);
  EXPECT_EQ(store.Usage().total_records(), 54u);
  EXPECT_EQ(ReadAll(store).back().records, records);
  EXPECT_EQ(*AppendBatch(store, records), 55u);
}

}  // namespace tidegate
