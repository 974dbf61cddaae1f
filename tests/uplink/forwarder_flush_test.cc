// When the deletes of what was delivered are written.
#include "tests/support/store_proxy.h"
#include "tests/uplink/forwarder_fixture.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;

class FlushCounter final : public StoreProxy {
 public:
  using StoreProxy::StoreProxy;
  Status Flush() override {
    ++flushes;
    return StoreProxy::Flush();
  }
  int flushes = 0;
};

class ForwarderFlushTest : public ForwarderTest {
 protected:
  void SetUp() override {
    forwarder_ =
        std::make_unique<Forwarder>(counter_, transport_, loop_, clock_, log_, metrics_, options_);
    Turn();
    StoreHeartbeats(1);
    AckAll();
    ASSERT_EQ(Stored(), 0U);
  }

  FlushCounter counter_{store_};
};

TEST_F(ForwarderFlushTest, AnAppendWritesTheDeletesInPlaceOfAFlush) {
  StoreHeartbeats(1);
  Wait(milliseconds(5000));
  EXPECT_EQ(counter_.flushes, 0);
}

TEST_F(ForwarderFlushTest, StepsOfASalvageDoNotPutItOff) {
  for (int step = 0; step < 60; ++step) {
    forwarder_->OnSendable();
    Wait(milliseconds(20));
  }
  EXPECT_EQ(counter_.flushes, 1);
}

// Stored beside the forwarder, like what a salvage has moved.
TEST_F(ForwarderFlushTest, WhatASalvageHasMovedIsSent) {
  AppendRequest request;
  const std::vector<Record> records{MakeRecord(RecordClass::kHeartbeat, "truck-2", "{}")};
  request.batches = {{RecordClass::kHeartbeat, records}};
  request.stamp = StampNow(clock_);
  ASSERT_TRUE(store_.Append(request).ok());
  Wait(milliseconds(100));
  ASSERT_TRUE(transport_.pending().empty());
  forwarder_->OnSendable();
  Turn();
  EXPECT_EQ(transport_.pending().size(), 1U);
}

}  // namespace
}  // namespace tidegate
