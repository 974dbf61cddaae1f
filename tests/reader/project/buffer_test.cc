#include "reader/project/buffer.h"

#include <gtest/gtest.h>

#include "tests/support/reader/fake_source.h"

namespace tidegate::reader {
namespace {

class BufferTest : public testing::Test {
 protected:
  void Add(const Partition& partition, int count, size_t bytes = 1, size_t values = 1) {
    for (int i = 0; i < count; ++i)
      buffer_.Add({.partition = partition, .offset = next_++, .bytes = bytes, .values = values});
  }
  void Finish(const Partition& partition) {
    buffer_.RemoveFront(
        buffer_.MoveToFront([&](const Buffer::Item& item) { return item.partition == partition; }));
  }

  Buffer buffer_{{.records = 10, .bytes = 1'000, .values = 100}};
  int64_t next_ = 0;
};

TEST_F(BufferTest, ItIsFullAtTheFirstOfItsLimits) {
  Add(kHeartbeats0, 9);
  EXPECT_FALSE(buffer_.Full());
  Add(kHeartbeats0, 1);
  EXPECT_TRUE(buffer_.Full());
  Finish(kHeartbeats0);
  EXPECT_FALSE(buffer_.Full());
  Add(kHeartbeats0, 1, 1'000);
  EXPECT_TRUE(buffer_.Full());
  Finish(kHeartbeats0);
  Add(kHeartbeats0, 2, 1, 50);
  EXPECT_TRUE(buffer_.Full());
}

TEST_F(BufferTest, WhatWaitsLeavesRoomForTheOthers) {
  Add(kHeartbeats0, 10);
  const Buffer::Turn turn = buffer_.Balance(2);
  EXPECT_EQ(turn.pause, std::vector{kHeartbeats0});
  EXPECT_FALSE(buffer_.Full());
  Add(kHeartbeats1, 4);
  EXPECT_TRUE(buffer_.Balance(2).pause.empty()) << "it holds less than its share";
  Add(kHeartbeats1, 1);
  EXPECT_EQ(buffer_.Balance(2).pause, std::vector{kHeartbeats1});
}

TEST_F(BufferTest, APartitionGoesOnWhenHalfOfItsShareIsFree) {
  Add(kHeartbeats0, 10);
  buffer_.Balance(2);
  int taken = 0;
  buffer_.RemoveFront(buffer_.MoveToFront([&](const Buffer::Item&) { return ++taken <= 6; }));
  EXPECT_TRUE(buffer_.Balance(2).resume.empty());
  taken = 0;
  buffer_.RemoveFront(buffer_.MoveToFront([&](const Buffer::Item&) { return ++taken <= 2; }));
  EXPECT_EQ(buffer_.Balance(2).resume, std::vector{kHeartbeats0});
}

TEST_F(BufferTest, ARemovedPartitionIsNotPaused) {
  Add(kHeartbeats0, 10);
  buffer_.Balance(2);
  EXPECT_EQ(buffer_.Remove(kHeartbeats0), 10u);
  EXPECT_TRUE(buffer_.empty());
  EXPECT_TRUE(buffer_.paused().empty());
}

}  // namespace
}  // namespace tidegate::reader
