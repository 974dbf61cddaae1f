#include "tests/contract/transport_contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tidegate {
namespace {

using ::testing::Each;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

WireMessage Message(const std::string& value) {
  WireMessage message;
  message.topic = "contract";
  message.key = "acme/truck-1";
  message.value = value;
  message.headers = {{"tg-kind", "heartbeat"}};
  return message;
}

class TransportContractTest : public ::testing::TestWithParam<std::pair<std::string, MakeWorld>> {
 protected:
  TransportContractTest() : world_(GetParam().second()) {
    transport().OnActivity([this] { ++activity_; });
  }
  Transport& transport() { return world_->transport(); }
  Status Send(Seq seq, Route route = Route::kMain) {
    return transport().Send(seq, Message("v" + std::to_string(seq)), route);
  }
  void SendOk(Seq first, Seq last) {
    for (Seq seq = first; seq <= last; ++seq) {
      const Status status = Send(seq);
      ASSERT_TRUE(status.ok()) << status.error().message;
    }
  }
  void TakeReports() {
    transport().Drain([this](const Transport::Report& report) {
      EXPECT_TRUE(reports_.try_emplace(report.seq, report).second) << "twice: " << report.seq;
    });
  }
  bool RunUntilReports(size_t count) {
    return world_->RunUntil([&] {
      TakeReports();
      return reports_.size() >= count;
    });
  }
  bool RunUntilConnected(bool connected) {
    return world_->RunUntil([&] { return transport().Connected() == connected; });
  }
  // Until it is accepted.
  bool RunUntilSent(Seq seq) {
    bool sent = false;
    return world_->RunUntil([&] {
      TakeReports();
      sent = sent || Send(seq).ok();
      return sent;
    });
  }
  std::vector<std::string> Values(Seq first, Seq last) {
    std::vector<std::string> values;
    for (Seq seq = first; seq <= last; ++seq) values.push_back("v" + std::to_string(seq));
    return values;
  }

  std::unique_ptr<TransportWorld> world_;
  std::map<Seq, Transport::Report> reports_;
  int activity_ = 0;
};

TEST_P(TransportContractTest, EachAcceptedSendIsReportedOnceAndArrivesInOrder) {
  SendOk(1, 50);
  ASSERT_TRUE(RunUntilReports(50));
  for (const auto& [seq, report] : reports_) EXPECT_EQ(report.delivery, Delivery::kAcked);
  EXPECT_THAT(world_->ArrivedValues("contract"), ElementsAreArray(Values(1, 50)));
  EXPECT_GT(activity_, 0);
}

TEST_P(TransportContractTest, SeqsOfAnySizeComeBackWhole) {
  const Seq large = (Seq{1} << 62) + 7;
  ASSERT_TRUE(Send(large).ok());
  ASSERT_TRUE(RunUntilReports(1));
  EXPECT_EQ(reports_.begin()->first, large);
}

TEST_P(TransportContractTest, NothingIsReportedWithoutASend) {
  EXPECT_TRUE(RunUntilConnected(true));
  TakeReports();
  EXPECT_THAT(reports_, IsEmpty());
}

TEST_P(TransportContractTest, AFullQueueSaysSoAndTakesMoreAfterReports) {
  ASSERT_TRUE(RunUntilConnected(true));
  world_->LinkDown();
  ASSERT_TRUE(RunUntilConnected(false));
  SendOk(1, 100);
  const Status full = Send(101);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::kFull);
  world_->LinkUp();
  ASSERT_TRUE(RunUntilReports(100));
  SendOk(101, 101);
  ASSERT_TRUE(RunUntilReports(101));
}

TEST_P(TransportContractTest, WithoutALinkRecordsWait) {
  ASSERT_TRUE(RunUntilConnected(true));
  world_->LinkDown();
  ASSERT_TRUE(RunUntilConnected(false));
  SendOk(1, 10);
  TakeReports();
  EXPECT_THAT(reports_, IsEmpty());
  world_->LinkUp();
  ASSERT_TRUE(RunUntilReports(10));
  EXPECT_TRUE(RunUntilConnected(true));
  EXPECT_THAT(world_->ArrivedValues("contract"), ElementsAreArray(Values(1, 10)));
}

TEST_P(TransportContractTest, WithoutALinkWhatIsRecalledComesBackUnsent) {
  ASSERT_TRUE(RunUntilConnected(true));
  world_->LinkDown();
  ASSERT_TRUE(RunUntilConnected(false));
  SendOk(1, 10);
  transport().Recall("the clock was set");
  ASSERT_TRUE(RunUntilReports(10));
  for (const auto& [seq, report] : reports_) {
    EXPECT_EQ(report.delivery, Delivery::kReturned);
    EXPECT_THAT(report.reason, HasSubstr("the clock was set"));
  }
  world_->LinkUp();
  ASSERT_TRUE(RunUntilSent(11));
  ASSERT_TRUE(RunUntilReports(11));
  EXPECT_THAT(world_->ArrivedValues("contract"), ElementsAreArray(Values(11, 11)));
}

TEST_P(TransportContractTest, ARecallOnAWorkingLinkReportsOnEachAndGoesOn) {
  ASSERT_TRUE(RunUntilConnected(true));
  SendOk(1, 10);
  transport().Recall("the clock was set");
  ASSERT_TRUE(RunUntilReports(10));
  for (const auto& [seq, report] : reports_) EXPECT_NE(report.delivery, Delivery::kRejected);
  ASSERT_TRUE(RunUntilSent(11));
  ASSERT_TRUE(RunUntilReports(11));
  EXPECT_EQ(reports_.at(11).delivery, Delivery::kAcked);
}

TEST_P(TransportContractTest, WhatCanNeverFitIsRejectedAtOnce) {
  const Status status = transport().Send(1, Message(std::string(1'100'000, 'x')), Route::kMain);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kRejected);
  EXPECT_THAT(status.error().message, Not(IsEmpty()));
  SendOk(2, 2);
  ASSERT_TRUE(RunUntilReports(1));
  EXPECT_EQ(reports_.at(2).delivery, Delivery::kAcked);
}

TEST_P(TransportContractTest, ARefusedRequestIsReportedForEachOfItsRecordsAndNothingOvertakes) {
  ASSERT_TRUE(RunUntilConnected(true));
  world_->RefuseNextRequest();
  SendOk(1, 10);
  ASSERT_TRUE(RunUntilReports(10));
  EXPECT_EQ(reports_.at(1).delivery, Delivery::kRejected);
  for (const auto& [seq, report] : reports_) {
    EXPECT_NE(report.delivery, Delivery::kAcked);
    EXPECT_THAT(report.reason, Not(IsEmpty()));
  }
  EXPECT_THAT(world_->ArrivedValues("contract"), IsEmpty());
}

TEST_P(TransportContractTest, AfterARefusalItWorksAgain) {
  ASSERT_TRUE(RunUntilConnected(true));
  world_->RefuseNextRequest();
  SendOk(1, 1);
  ASSERT_TRUE(RunUntilReports(1));
  ASSERT_TRUE(RunUntilSent(2));
  ASSERT_TRUE(RunUntilReports(2));
  EXPECT_EQ(reports_.at(2).delivery, Delivery::kAcked);
}

TEST_P(TransportContractTest, ARefusedTrialCostsNoOtherMessage) {
  ASSERT_TRUE(RunUntilConnected(true));
  world_->RefuseNextRequest();
  ASSERT_TRUE(Send(1, Route::kTrial).ok());
  ASSERT_TRUE(RunUntilReports(1));
  EXPECT_EQ(reports_.at(1).delivery, Delivery::kRejected);
  EXPECT_EQ(reports_.at(1).refusal, Refusal::kSize);
  ASSERT_TRUE(Send(2, Route::kTrial).ok());
  ASSERT_TRUE(Send(3, Route::kMain).ok());
  ASSERT_TRUE(RunUntilReports(3));
  EXPECT_EQ(reports_.at(2).delivery, Delivery::kAcked);
  EXPECT_EQ(reports_.at(3).delivery, Delivery::kAcked);
}

INSTANTIATE_TEST_SUITE_P(
    Worlds, TransportContractTest,
    ::testing::Values(std::pair<std::string, MakeWorld>("Scripted", MakeScriptedWorld),
                      std::pair<std::string, MakeWorld>("Kafka", MakeKafkaWorld)),
    [](const auto& world) { return world.param.first; });

}  // namespace
}  // namespace tidegate
