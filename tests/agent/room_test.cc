// A full store that stops reading, with the pipeline before it and the uplink after it: the room
// that deliveries make is used.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agent/pipeline/pipeline.h"
#include "store/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/quiet_driver.h"
#include "tests/support/scripted_transport.h"
#include "tests/support/store_fixture.h"
#include "tests/support/store_proxy.h"
#include "uplink/forwarder.h"

namespace tidegate {
namespace {

using std::chrono::seconds;

// A store whose batches cannot be read again while a test wants that.
class UnreadableStore final : public StoreProxy {
 public:
  using StoreProxy::StoreProxy;
  Result<std::optional<Batch>> Replay(RecordClass record_class, Seq after) override {
    if (unreadable) return Error{ErrorCode::kUnavailable, "disk I/O error"};
    return StoreProxy::Replay(record_class, after);
  }
  bool unreadable = false;
};

class RoomTest : public testing::Test {
 protected:
  RoomTest() {
    SqliteStore::Options options;
    options.path = folder_.File("queue.db");
    options.gateway = "gw-1";
    options.max_bytes = 1 << 20;
    options.full = FullPolicy::kStopReading;
    auto opened = SqliteStore::Open(options, clock_, log_, metrics_);
    sqlite_ = std::move(opened).value();
    store_.emplace(*sqlite_);
    Start();
  }
  ~RoomTest() override {
    forwarder_.reset();
    pipeline_.reset();
  }

  void Start() {
    forwarder_.reset();
    transport_ = ScriptedTransport();
    pipeline_.emplace(*store_, loop_, clock_, log_, metrics_, std::vector<Rule>{},
                      Pipeline::Options{});
    pipeline_->Restore();
    pipeline_->OnStored([this](Seq, const AppendRequest&) { forwarder_->OnStored(); });
    inbox_ = &pipeline_->AddInput({.name = "local",
                                   .tenant = "acme",
                                   .asset = "truck-1",
                                   .record_class = RecordClass::kHeartbeat},
                                  &driver_);
    accepted_ = 0;
    Forwarder::Options options;
    options.gateway = "gw-1";
    forwarder_ =
        std::make_unique<Forwarder>(*store_, transport_, loop_, clock_, log_, metrics_, options);
    forwarder_->OnDelivered([this] { pipeline_->OnRoom(); });
    Turn();
  }
  void Turn() {
    for (int i = 0; i < 100 && loop_.turn_end_pending(); ++i) loop_.EndTurn();
  }
  // Until a commit fails for want of room.
  void Fill() {
    for (int i = 0; i < 1'000 && !pipeline_->blocked(); ++i) {
      Offer();
      pipeline_->Commit();
      Turn();
    }
    ASSERT_TRUE(pipeline_->blocked());
  }
  void Offer() {
    std::string noise;
    for (int i = 0; i < 1'000; ++i) noise += fmt::format("{:016x}", random_());
    const std::string payload = fmt::format(R"({{"noise":"{}"}})", noise);
    ASSERT_TRUE(inbox_->Offer(
        {.payload = payload, .tenant = {}, .asset = {}, .origin = "test", .packet_id = {}},
        ++accepted_));
  }
  bool AllSettled() const {
    return pipeline_->inputs()[0].settled == pipeline_->inputs()[0].received;
  }

  TempDir folder_;
  FakeClock clock_;
  ManualLoop loop_{clock_};
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics metrics_;
  std::mt19937_64 random_{1};
  std::unique_ptr<SqliteStore> sqlite_;
  std::optional<UnreadableStore> store_;
  ScriptedTransport transport_;
  QuietDriver driver_;
  std::optional<Pipeline> pipeline_;
  Inbox* inbox_ = nullptr;
  Ticket accepted_ = 0;
  std::unique_ptr<Forwarder> forwarder_;
};

TEST_F(RoomTest, RoomThatDeliveriesMakeIsNoticedInTheSameTurn) {
  Fill();
  const BootTime before = clock_.SinceBoot();
  transport_.AckAll();
  loop_.EndTurn();
  EXPECT_FALSE(pipeline_->blocked());
  EXPECT_TRUE(AllSettled());
  EXPECT_EQ(clock_.SinceBoot(), before);
}

TEST_F(RoomTest, AStateThatCouldNotBeRestoredKeepsNoDeliveredRecordsForEver) {
  Fill();
  store_->unreadable = true;
  pipeline_.reset();
  Start();
  Offer();
  EXPECT_FALSE(pipeline_->Commit());
  transport_.AckAll();
  Turn();
  EXPECT_TRUE(pipeline_->blocked()) << "what is delivered stays until the state covers it";
  store_->unreadable = false;
  loop_.Advance(seconds(15));
  Turn();
  EXPECT_FALSE(pipeline_->blocked());
  EXPECT_TRUE(AllSettled());
}

}  // namespace
}  // namespace tidegate
