// The part of StoreContract that tests a fold's state: snapshots, replay, delivered marks, values.
#pragma once

#include <optional>
#include <string>

#include "tests/contract/store_contract.h"
#include "tests/support/chain_fold.h"

namespace tidegate {

TEST_P(StoreContract, ValuesSurviveARestart) {
  Store& before = Open();
  EXPECT_EQ(*before.ReadValue("clock"), std::nullopt);
  ASSERT_TRUE(before.WriteValue("clock", "1").ok());
  ASSERT_TRUE(before.WriteValue("clock", std::string("2\0x", 3)).ok());
  ASSERT_TRUE(before.WriteValue("budget", "").ok());
  Store& store = Reopen();
  EXPECT_EQ(*store.ReadValue("clock"), std::string("2\0x", 3));
  EXPECT_EQ(*store.ReadValue("budget"), "");
  EXPECT_EQ(*store.ReadValue("other"), std::nullopt);
}

TEST_P(StoreContract, WithoutASourceThereIsNoSnapshot) {
  Store& store = Open();
  ASSERT_TRUE(AppendBatch(store, fleet_.Take(3)).ok());
  ASSERT_TRUE(store.Flush().ok());
  EXPECT_EQ(store.LoadSnapshot()->has_value(), false);
}

TEST_P(StoreContract, SnapshotAndReplayGiveTheFoldWhateverWasDelivered) {
  Store* store = &Open();
  ChainFold fold;
  Cursor cursor;
  for (int round = 0; round < 5; ++round) {
    store->SetSnapshotSource([&fold] { return fold.Save(); });
    for (int i = 0; i < 300; ++i) {
      const auto record_class = kRecordClasses[i % kRecordClasses.size()];
      const auto records = fleet_.Take(1 + static_cast<size_t>(i) % 40, record_class);
      fold.Add(record_class, records);
      ASSERT_TRUE(AppendBatch(*store, records).ok());
      if (i % 5 == 0) continue;  // Some stay undelivered.
      const auto next = store->Next(cursor);
      ASSERT_TRUE(next.ok());
      if (!*next) continue;
      cursor.last[static_cast<size_t>((*next)->record_class)] = (*next)->first_seq;
      store->Delivered((*next)->record_class, (*next)->first_seq);
      if (i % 50 == 1) {
        ASSERT_TRUE(store->Flush().ok());
      }
    }
    store = &Reopen();
    EXPECT_EQ(ChainFold::Restore(*store), fold);
    cursor = {};
  }
  EXPECT_TRUE((*store->LoadSnapshot()).has_value());
}

TEST_P(StoreContract, WhatIsKeptForReplayIsNeitherCountedNorSentAgain) {
  Store* store = &Open();
  ChainFold fold;
  for (int restart = 0; restart < 2; ++restart) {
    store->SetSnapshotSource([&fold] { return fold.Save(); });
    for (int i = 0; i < 3; ++i) {
      const auto records = fleet_.Take(10);
      fold.Add(RecordClass::kHeartbeat, records);
      ASSERT_TRUE(AppendBatch(*store, records).ok());
    }
    for (const Batch& batch : ReadAll(*store)) {
      store->Delivered(batch.record_class, batch.first_seq);
    }
    ASSERT_TRUE(store->Flush().ok());
    store = &Reopen();
    EXPECT_TRUE(ReadAll(*store).empty());
    EXPECT_EQ(store->Usage().total_records(), 0u);
    EXPECT_EQ(store->Usage().batches, 0u);
    EXPECT_EQ(store->Usage().oldest, std::nullopt);
    EXPECT_EQ(ChainFold::Restore(*store), fold);
  }
}

TEST_P(StoreContract, DeliveriesBeforeAnAppendSurviveWithIt) {
  Store& before = Open();
  ChainFold fold;
  before.SetSnapshotSource([&fold] { return fold.Save(); });
  for (const auto record_class : {RecordClass::kHeartbeat, RecordClass::kReading}) {
    for (int i = 0; i < 2; ++i) {
      const auto records = fleet_.Take(2, record_class);
      fold.Add(record_class, records);
      ASSERT_TRUE(AppendBatch(before, records).ok());
    }
  }
  ASSERT_EQ(ReadAll(before).size(), 4u);
  before.Delivered(RecordClass::kHeartbeat, 1);
  before.Delivered(RecordClass::kReading, 5);
  const auto last = fleet_.Take(2);
  fold.Add(RecordClass::kHeartbeat, last);
  ASSERT_EQ(*AppendBatch(before, last), 9u);
  Store& store = Reopen();
  EXPECT_THAT(SeqsOf(ReadAll(store)), testing::ElementsAre(3, 9, 7));
  EXPECT_EQ(store.Usage().total_records(), 6u);
  EXPECT_EQ(ChainFold::Restore(store), fold);
}

TEST_P(StoreContract, RetentionDoesNotFillTheStore) {
  Store& store = Open(false);
  ChainFold fold;
  store.SetSnapshotSource([&fold] { return fold.Save(); });
  for (int i = 0; i < 200; ++i) {
    const auto records = Noise(30'000);
    fold.Add(RecordClass::kHeartbeat, records);
    const auto appended = AppendBatch(store, records);
    ASSERT_TRUE(appended.ok()) << i << ": " << appended.error().message;
    for (const Batch& batch : ReadAll(store)) {
      store.Delivered(batch.record_class, batch.first_seq);
    }
  }
  EXPECT_EQ(ChainFold::Restore(Reopen()), fold);
}

TEST_P(StoreContract, ASourceThatHasNothingYetIsAskedAgain) {
  Store& before = Open();
  ChainFold fold;
  bool ready = false;
  before.SetSnapshotSource(
      [&]() -> std::optional<std::string> { return ready ? fold.Save() : std::nullopt; });
  for (int i = 0; i < 300; ++i) {
    ready = i > 270;
    const auto records = fleet_.Take(20);
    fold.Add(RecordClass::kHeartbeat, records);
    ASSERT_TRUE(AppendBatch(before, records).ok());
  }
  Store& store = Reopen();
  EXPECT_TRUE((*store.LoadSnapshot()).has_value());
  EXPECT_EQ(ChainFold::Restore(store), fold);
}

}  // namespace tidegate
