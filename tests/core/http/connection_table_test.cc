#include "core/http/connection_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::http {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Phase = ConnectionTable::Phase;

class ConnectionTableTest : public testing::Test {
 protected:
  ConnectionTable::Connection& Add(const char* peer) {
    now_ += 1s;
    return table_.Add(0, peer, now_);
  }

  BootTime now_{};
  ConnectionTable table_{{.most = 3, .receive_within = 10s, .send_within = 30s}};
};

TEST_F(ConnectionTableTest, AClientThatTakesTooLongIsOverdueWhateverItSends) {
  auto& slow = Add("a");
  auto& reads = Add("a");
  auto& waits = Add("a");
  ConnectionTable::Enter(reads, Phase::kSending, now_);
  ConnectionTable::Enter(waits, Phase::kAnswering, now_);
  EXPECT_THAT(table_.Overdue(slow.since + 9s), IsEmpty());
  EXPECT_THAT(table_.Overdue(slow.since + 10s), ElementsAre(&slow));
  table_.End(slow);
  EXPECT_THAT(table_.Overdue(now_ + 30s), ElementsAre(&reads));
  table_.Remove(slow);
  ConnectionTable::Enter(waits, Phase::kReceiving, now_ + 60s);
  EXPECT_THAT(table_.Overdue(now_ + 60s), ElementsAre(&reads));
}

TEST_F(ConnectionTableTest, OneTooManyEndsTheOneThatWaitedLongestOfThePeerWithTheMost) {
  Add("good");
  auto& first = Add("bad");
  auto& second = Add("bad");
  EXPECT_EQ(table_.Surplus(), nullptr);
  Add("good too");
  EXPECT_EQ(table_.Surplus(), &first);
  table_.End(first);
  EXPECT_EQ(table_.Surplus(), nullptr);
  Add("bad");
  EXPECT_EQ(table_.Surplus(), &second);
  table_.Remove(first);
  EXPECT_EQ(table_.Surplus(), &second);
}

TEST_F(ConnectionTableTest, ARequestThatWaitsForItsAnswerIsNeverSurplus) {
  for (int i = 0; i < 4; ++i) ConnectionTable::Enter(Add("a"), Phase::kAnswering, now_);
  EXPECT_EQ(table_.Surplus(), nullptr);
  auto& newest = Add("b");
  EXPECT_EQ(table_.Surplus(), &newest);
}

TEST_F(ConnectionTableTest, EveryConnectionCanGo) {
  auto& one = Add("a");
  auto& two = Add("b");
  table_.End(two);
  table_.Remove(two);
  table_.Remove(one);
  EXPECT_TRUE(table_.empty());
}

}  // namespace
}  // namespace tidegate::http
