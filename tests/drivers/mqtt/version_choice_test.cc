#include "drivers/mqtt/version_choice.h"

#include <gtest/gtest.h>

#include <csignal>

namespace tidegate {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class VersionChoiceTest : public testing::Test {
 protected:
  MqttVersion TryAnd(ConnectFailure failure) {
    const MqttVersion version = choice_.Next(now_);
    choice_.Failed(failure, now_);
    return version;
  }
  MqttVersion TryAndBeAccepted() {
    const MqttVersion version = choice_.Next(now_);
    choice_.Accepted();
    return version;
  }

  VersionChoice choice_{std::nullopt};
  BootTime now_ = hours(1);
};

TEST_F(VersionChoiceTest, BeginsWithFive) {
  EXPECT_EQ(choice_.Next(now_), MqttVersion::k5);
}

TEST_F(VersionChoiceTest, APlainRefusalIsFollowedAtOnceBy311) {
  EXPECT_EQ(TryAnd(ConnectFailure::kVersionRefused), MqttVersion::k5);
  EXPECT_TRUE(choice_.retry_at_once());
  EXPECT_EQ(TryAndBeAccepted(), MqttVersion::k311);
  EXPECT_FALSE(choice_.retry_at_once());
}

TEST_F(VersionChoiceTest, ABrokerThatRefusesBothIsNotAskedInATightLoop) {
  EXPECT_EQ(TryAnd(ConnectFailure::kVersionRefused), MqttVersion::k5);
  EXPECT_TRUE(choice_.retry_at_once());
  EXPECT_EQ(TryAnd(ConnectFailure::kVersionRefused), MqttVersion::k311);
  EXPECT_FALSE(choice_.retry_at_once());
  EXPECT_EQ(TryAnd(ConnectFailure::kVersionRefused), MqttVersion::k5);
  EXPECT_FALSE(choice_.retry_at_once());
}

class DoubtfulFailureTest : public VersionChoiceTest,
                            public testing::WithParamInterface<ConnectFailure> {};

TEST_P(DoubtfulFailureTest, IsGivenASecondTry) {
  EXPECT_EQ(TryAnd(GetParam()), MqttVersion::k5);
  EXPECT_FALSE(choice_.retry_at_once());
  EXPECT_EQ(TryAnd(GetParam()), MqttVersion::k5);
  EXPECT_EQ(TryAnd(GetParam()), MqttVersion::k311);
  EXPECT_EQ(TryAnd(GetParam()), MqttVersion::k311);
  EXPECT_EQ(TryAnd(GetParam()), MqttVersion::k5);
}

TEST_P(DoubtfulFailureTest, OfOneAttemptPinsNothing) {
  EXPECT_EQ(TryAnd(GetParam()), MqttVersion::k5);
  EXPECT_EQ(TryAndBeAccepted(), MqttVersion::k5);
  EXPECT_EQ(TryAnd(GetParam()), MqttVersion::k5);
  EXPECT_EQ(TryAndBeAccepted(), MqttVersion::k5);
}

TEST_P(DoubtfulFailureTest, KeepsWhatWorkedForMinutesOnly) {
  TryAnd(GetParam());
  TryAnd(GetParam());
  EXPECT_EQ(TryAndBeAccepted(), MqttVersion::k311);
  now_ += minutes(9);
  EXPECT_EQ(TryAndBeAccepted(), MqttVersion::k311);
  now_ += minutes(2);
  EXPECT_EQ(TryAndBeAccepted(), MqttVersion::k5);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DoubtfulFailureTest,
                         testing::Values(ConnectFailure::kClosed, ConnectFailure::kSilent));

TEST_F(VersionChoiceTest, KeepsWhatWorkedAfterAPlainRefusalForADay) {
  TryAnd(ConnectFailure::kVersionRefused);
  EXPECT_EQ(TryAndBeAccepted(), MqttVersion::k311);
  now_ += hours(23);
  EXPECT_EQ(TryAndBeAccepted(), MqttVersion::k311);
  now_ += hours(2);
  EXPECT_EQ(TryAnd(ConnectFailure::kVersionRefused), MqttVersion::k5);
  EXPECT_TRUE(choice_.retry_at_once());
  EXPECT_EQ(TryAndBeAccepted(), MqttVersion::k311);
}

TEST_F(VersionChoiceTest, ABrokerThatIsAwayOrRefusesUsSaysNothingAboutTheVersion) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(TryAnd(ConnectFailure::kUnreachable), MqttVersion::k5);
    EXPECT_EQ(TryAnd(ConnectFailure::kRefused), MqttVersion::k5);
  }
}

TEST_F(VersionChoiceTest, AFixedVersionStays) {
  choice_ = VersionChoice(MqttVersion::k311);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(TryAnd(ConnectFailure::kVersionRefused), MqttVersion::k311);
    EXPECT_FALSE(choice_.retry_at_once());
  }
}

TEST(VersionChoiceDeathTest, AnAttemptIsReportedOnce) {
  VersionChoice choice{std::nullopt};
  EXPECT_EXIT(choice.Accepted(), testing::KilledBySignal(SIGABRT), "an attempt is reported once");
  (void)choice.Next(hours(1));
  EXPECT_EXIT((void)choice.Next(hours(1)), testing::KilledBySignal(SIGABRT),
              "one attempt at a time");
}

}  // namespace
}  // namespace tidegate
