#include "drivers/mqtt/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

namespace tidegate {
namespace {

using testing::ElementsAre;

class RoomyInbox final : public Inbox {
 public:
  bool Offer(const Message& message, Ticket ticket) override {
    if (room == 0) return false;
    --room;
    EXPECT_EQ(ticket, taken.size() + 1);
    taken.push_back(std::string(message.tenant) + "/" + std::string(message.asset) + "=" +
                    std::string(message.payload));
    if (!message.refused.empty()) taken.back() += " refused";
    if (message.retained) taken.back() += " retained";
    return true;
  }

  size_t room = 1000;
  std::vector<std::string> taken;
};

class IntakeTest : public testing::Test {
 protected:
  IntakeTest() { intake_.Start(inbox_); }

  bool Take(const std::string& payload, std::optional<uint16_t> packet_id = 1,
            std::string_view topic = "f/acme/7") {
    return intake_.Take({topic, payload, packet_id, /*retained=*/false});
  }

  TopicTemplate topic_ = *TopicTemplate::Parse("f/{tenant}/{asset}");
  RoomyInbox inbox_;
  Intake intake_{topic_, {.messages = 3, .bytes = 100}};
};

TEST_F(IntakeTest, OffersWithTheTagsOfTheTopic) {
  EXPECT_TRUE(Take("a"));
  EXPECT_THAT(inbox_.taken, ElementsAre("acme/7=a"));
  EXPECT_FALSE(intake_.safe());
  EXPECT_EQ(intake_.unacknowledged(), 1u);
}

TEST_F(IntakeTest, OffersWhatDoesNotMatchAsOneToBeRefused) {
  EXPECT_FALSE(Take("a", 1, "elsewhere"));
  EXPECT_THAT(inbox_.taken, ElementsAre("/=a refused"));
}

TEST_F(IntakeTest, KeptMessagesStayWhatTheyAre) {
  inbox_.room = 0;
  Take("a", 1, "elsewhere");
  intake_.Take({"f/acme/7", "b", 2, /*retained=*/true});
  inbox_.room = 1000;
  intake_.Resume();
  EXPECT_THAT(inbox_.taken, ElementsAre("/=a refused", "acme/7=b retained"));
}

TEST_F(IntakeTest, IsSafeOnceAllIsSettled) {
  Take("a");
  Take("b");
  intake_.Settled(1);
  EXPECT_FALSE(intake_.safe());
  EXPECT_TRUE(intake_.owed());
  intake_.Settled(2);
  EXPECT_TRUE(intake_.safe());
  EXPECT_FALSE(intake_.owed());
  intake_.Acknowledging();
  intake_.Acknowledged();
  EXPECT_EQ(intake_.unacknowledged(), 0u);
}

TEST_F(IntakeTest, AnOlderSettledChangesNothing) {
  Take("a");
  intake_.Settled(1);
  intake_.Settled(0);
  EXPECT_TRUE(intake_.safe());
}

TEST_F(IntakeTest, HasNoRoomAtTheMessageLimit) {
  Take("a");
  Take("b");
  EXPECT_TRUE(intake_.HasRoom());
  Take("c");
  EXPECT_FALSE(intake_.HasRoom());
  intake_.Settled(1);
  EXPECT_TRUE(intake_.HasRoom());
}

TEST_F(IntakeTest, HasNoRoomAtTheByteLimitUntilAllIsSettled) {
  Take(std::string(99, 'x'));
  EXPECT_TRUE(intake_.HasRoom());
  Take("y");
  EXPECT_FALSE(intake_.HasRoom());
  intake_.Settled(2);
  EXPECT_TRUE(intake_.HasRoom());
}

TEST_F(IntakeTest, KeepsInOrderWhatTheInboxRefuses) {
  inbox_.room = 1;
  Take("a");
  Take("b");
  inbox_.room = 1000;  // Not announced yet: order before speed.
  Take("c");
  EXPECT_THAT(inbox_.taken, ElementsAre("acme/7=a"));
  EXPECT_TRUE(intake_.blocked());
  EXPECT_FALSE(intake_.HasRoom());
  intake_.Settled(1);
  EXPECT_FALSE(intake_.safe());

  intake_.Resume();
  EXPECT_THAT(inbox_.taken, ElementsAre("acme/7=a", "acme/7=b", "acme/7=c"));
  EXPECT_FALSE(intake_.blocked());
  intake_.Settled(3);
  EXPECT_TRUE(intake_.safe());
}

TEST_F(IntakeTest, ResumesAsFarAsThereIsRoom) {
  inbox_.room = 0;
  Take("a");
  Take("b");
  inbox_.room = 1;
  intake_.Resume();
  EXPECT_THAT(inbox_.taken, ElementsAre("acme/7=a"));
  EXPECT_TRUE(intake_.blocked());
  EXPECT_EQ(intake_.unsettled(), 2u);
}

TEST_F(IntakeTest, ALostConnectionGivesUpWhatComesAgainAndKeepsWhatDoesNot) {
  inbox_.room = 1;
  Take("a");
  Take("again");
  Take("once", std::nullopt);
  EXPECT_EQ(intake_.ConnectionLost(), 2u);
  EXPECT_EQ(intake_.unacknowledged(), 0u);
  inbox_.room = 1000;
  intake_.Resume();
  EXPECT_THAT(inbox_.taken, ElementsAre("acme/7=a", "acme/7=once"));
}

TEST_F(IntakeTest, QosZeroIsNotAcknowledgedButSettled) {
  Take("a", std::nullopt);
  EXPECT_EQ(intake_.unacknowledged(), 0u);
  EXPECT_FALSE(intake_.safe());
}

using IntakeDeathTest = IntakeTest;

TEST_F(IntakeDeathTest, AnUnsettledMessageIsNeverAcknowledged) {
  Take("a");
  EXPECT_EXIT(intake_.Acknowledging(), testing::KilledBySignal(SIGABRT),
              "only settled messages are acknowledged");
  intake_.Settled(1);
  EXPECT_EXIT(intake_.Acknowledged(), testing::KilledBySignal(SIGABRT),
              "before the PUBACKs are written");
}

TEST_F(IntakeDeathTest, ATicketThatWasNeverAcceptedIsNotSettled) {
  Take("a");
  EXPECT_EXIT(intake_.Settled(2), testing::KilledBySignal(SIGABRT),
              "only accepted tickets are settled");
}

TEST_F(IntakeDeathTest, AConnectionBeginsWithEverythingSettled) {
  Take("a");
  EXPECT_EXIT(intake_.OnSession(true), testing::KilledBySignal(SIGABRT),
              "begins with everything settled");
}

}  // namespace
}  // namespace tidegate
