// What the forwarder does when the store is replaced by another one, and when records come from an
// earlier one.
#include "tests/support/store_proxy.h"
#include "tests/uplink/forwarder_fixture.h"
#include "uplink/forwarder.h"

namespace tidegate {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// A store that is found damaged and replaced while the program runs.
class ReplacedStore final : public StoreProxy {
 public:
  using StoreProxy::StoreProxy;
  void ReplaceBy(MemoryStore& next, std::string epoch) {
    PassTo(next);
    epoch_ = std::move(epoch);
  }
  // The next read finds the damage: it fails, and the following calls reach `next`.
  void ReplaceInNextReadBy(MemoryStore& next) { replacement_ = &next; }
  Result<std::optional<Batch>> Next(const Cursor& after) override {
    if (replacement_ == nullptr) return StoreProxy::Next(after);
    ReplaceBy(*std::exchange(replacement_, nullptr), "0000000b");
    return Error{ErrorCode::kUnavailable, "read: database disk image is malformed"};
  }
  void Delivered(RecordClass record_class, Seq first_seq) override {
    delivered_.push_back(epoch_ + ":" + std::to_string(first_seq));
    StoreProxy::Delivered(record_class, first_seq);
  }
  const std::string& epoch() const override { return epoch_; }
  const std::vector<std::string>& delivered() const { return delivered_; }

 private:
  std::string epoch_ = "0000000a";
  MemoryStore* replacement_ = nullptr;
  std::vector<std::string> delivered_;
};

class ForwarderEpochTest : public ForwarderTest {
 protected:
  void AppendHeartbeats(MemoryStore& store, size_t count) {
    const std::vector<Record> records(count, MakeRecord(RecordClass::kHeartbeat, "truck-1", "{}"));
    AppendRequest request;
    request.batches = {{RecordClass::kHeartbeat, records}};
    ASSERT_TRUE(store.Append(request).ok());
  }
};

TEST_F(ForwarderEpochTest, ReportsOfAnEpochThatIsGoneAcknowledgeNothingOfTheNext) {
  StoreHeartbeats(3);
  MemoryStore next;
  ReplacedStore store(store_);
  Forwarder forwarder(store, transport_, loop_, clock_, log_, metrics_, options_);
  Turn();
  ASSERT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2, 3));
  transport_.SetOnTheWire(true);
  AppendHeartbeats(next, 1);
  store.ReplaceBy(next, "0000000b");
  forwarder.OnStored();
  Turn();
  transport_.AckAll();  // Seq 1 among them, of the store that is gone.
  EXPECT_EQ(next.Usage().total_records(), 1U);
  Turn();
  ASSERT_THAT(transport_.PendingSeqs(), ElementsAre(1));
  EXPECT_THAT(transport_.pending().front().message.headers,
              Contains(Pair("tg-id", "gw-1:0000000b:1")));
  transport_.AckAll();
  Turn();
  EXPECT_EQ(next.Usage().total_records(), 0U);
}

TEST_F(ForwarderEpochTest, WhatTheLibraryHoldsOfAnEpochThatIsGoneIsRecalled) {
  StoreHeartbeats(3);
  MemoryStore next;
  ReplacedStore store(store_);
  Forwarder forwarder(store, transport_, loop_, clock_, log_, metrics_, options_);
  Turn();
  AppendHeartbeats(next, 1);
  store.ReplaceBy(next, "0000000b");
  forwarder.OnStored();
  Turn();
  ASSERT_THAT(transport_.PendingSeqs(), ElementsAre(1)) << "nobody has answered the others";
  EXPECT_THAT(transport_.pending().front().message.headers,
              Contains(Pair("tg-id", "gw-1:0000000b:1")));
}

// Two batches of the old store are read, and the new one holds batches whose seqs lie among theirs.
TEST_F(ForwarderEpochTest, AStoreThatIsReplacedDuringAStepIsNotReadByTheOldCursor) {
  StoreHeartbeats(3);
  MemoryStore next;
  AppendHeartbeats(next, 1);
  AppendHeartbeats(next, 1);
  ReplacedStore store(store_);
  Forwarder forwarder(store, transport_, loop_, clock_, log_, metrics_, options_);
  Turn();
  ASSERT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2, 3));
  transport_.AckAll();  // Batch 1 of the old store is finished in the step in which it is replaced.
  store.ReplaceInNextReadBy(next);
  forwarder.OnStored();
  Turn();
  EXPECT_THAT(store.delivered(), IsEmpty());
  EXPECT_EQ(next.Usage().total_records(), 2U);
  Wait(std::chrono::seconds(1));
  ASSERT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2));
  transport_.AckAll();
  Turn();
  EXPECT_THAT(store.delivered(), ElementsAre("0000000b:1", "0000000b:2"));
  EXPECT_EQ(next.Usage().total_records(), 0U);
}

// A store whose batches were salvaged from an earlier one.
class SalvagedStore final : public StoreProxy {
 public:
  using StoreProxy::StoreProxy;
  Result<std::optional<Batch>> Next(const Cursor& after) override {
    auto next = StoreProxy::Next(after);
    if (next.ok() && *next) (*next)->numbering = Numbering{"00c0ffee", 41};
    return next;
  }
};

TEST_F(ForwarderEpochTest, SalvagedRecordsKeepTheIdsOfTheirFirstStore) {
  StoreHeartbeats(2);
  SalvagedStore store(store_);
  Forwarder forwarder(store, transport_, loop_, clock_, log_, metrics_, options_);
  Turn();
  ASSERT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2));
  EXPECT_THAT(transport_.pending().front().message.headers,
              Contains(Pair("tg-id", "gw-1:00c0ffee:41")));
  EXPECT_THAT(transport_.pending().back().message.headers,
              Contains(Pair("tg-id", "gw-1:00c0ffee:42")));
  transport_.AckAll();
  Turn();
  EXPECT_EQ(store_.Usage().total_records(), 0U);
}

}  // namespace
}  // namespace tidegate
