// What one source's hostile messages cost the others, on the real store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "agent/pipeline/pipeline.h"
#include "store/dead_letter.h"
#include "store/inspect.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/quiet_driver.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

using testing::SizeIs;

class RefusalTest : public testing::Test, public SqliteStoreFixture {
 protected:
  void Begin() {
    Reopen();
    Pipeline::Options settings;
    settings.default_tenant = "acme";
    pipeline_.emplace(store(), loop_, time_, log, *metrics, std::vector<Rule>{}, settings);
    pipeline_->Restore();
    inbox_ = &pipeline_->AddInput({"in", "", "", RecordClass::kHeartbeat}, &driver_);
  }
  void Offer(std::string_view payload) {
    ASSERT_TRUE(inbox_->Offer(
        {.payload = payload, .tenant = {}, .asset = {}, .origin = "topic", .packet_id = {}},
        ++ticket_));
  }
  std::vector<DeadLetter> Letters() {
    std::vector<DeadLetter> letters;
    EXPECT_TRUE(
        ForEachDeadLetter(options.path, std::nullopt, [&](int64_t, const DeadLetter& letter) {
          letters.push_back(letter);
          return true;
        }).ok());
    return letters;
  }

  FakeClock time_;
  ManualLoop loop_{time_};
  QuietDriver driver_;
  Inbox* inbox_ = nullptr;
  Ticket ticket_ = 0;
  std::optional<Pipeline> pipeline_;
};

TEST_F(RefusalTest, ATenantOf230KilobytesInASmallStoreBlocksNoOther) {
  options.max_bytes = 8 << 20;
  Begin();
  Offer(R"({"asset_id":"a","t":1})");
  Offer(fmt::format(R"({{"asset_id":"a","tenant_id":"{}"}})", std::string(230'000, 't')));
  Offer(R"({"asset_id":"a","t":2})");
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_EQ(pipeline_->inputs()[0].settled, 3U);
  EXPECT_EQ(store().Usage().total_records(), 2U);
  ASSERT_THAT(Letters(), SizeIs(1));
  EXPECT_TRUE(Letters()[0].truncated());
  EXPECT_GT(Letters()[0].payload_bytes(), 230'000U);
  EXPECT_THAT(Letters()[0].payload, SizeIs(kMaxUnparsedBytes));
  pipeline_.reset();
}

TEST_F(RefusalTest, ARecordThatFitsNoAppendBecomesALetterAndBlocksNoOther) {
  options.max_bytes = 1 << 20;
  Begin();
  std::string noise;
  for (uint64_t i = 0, x = 1; i < 20'000; ++i) {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    noise += fmt::format("{:08x}", x >> 32);
  }
  for (int i = 0; i < 50; ++i) Offer(fmt::format(R"({{"asset_id":"a","t":{}}})", i));
  Offer(fmt::format(R"({{"asset_id":"large","x":"{}"}})", noise));
  for (int i = 0; i < 50; ++i) Offer(fmt::format(R"({{"asset_id":"a","t":{}}})", i));
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_EQ(pipeline_->inputs()[0].settled, 101U);
  EXPECT_EQ(store().Usage().total_records(), 100U);
  ASSERT_THAT(Letters(), SizeIs(1));
  EXPECT_EQ(Letters()[0].origin, "acme/large");
  EXPECT_TRUE(Letters()[0].truncated());
  pipeline_.reset();
}

}  // namespace
}  // namespace tidegate
