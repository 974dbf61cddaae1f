#include "agent/pipeline/receipts.h"

#include <gtest/gtest.h>

namespace tidegate {
namespace {

// One source's messages, each as (packet id, content).
class ReceiptsTest : public testing::Test {
 protected:
  Receipts::Arrived Message(uint16_t packet_id, uint32_t content, bool same_record = false) {
    return {packet_id, content, same_record, ++ticket_};
  }
  // Offers it as the pipeline does; true: it was recognised as a redelivery.
  bool Again(uint16_t packet_id, uint32_t content, bool same_record = false) {
    const auto message = Message(packet_id, content, same_record);
    if (receipts_.waiting() && receipts_.Redelivered(message)) return true;
    receipts_.Add(message);
    return false;
  }
  void Took(uint16_t packet_id, uint32_t content) { EXPECT_FALSE(Again(packet_id, content)); }
  void AcknowledgeAll() { acknowledged_ = ticket_; }
  void Resume() { receipts_.OnSession(true, acknowledged_); }
  void Restart() {
    InputReceipts saved;
    receipts_.Save(saved);
    receipts_ = Receipts();
    receipts_.Load(saved);
    ticket_ = acknowledged_ = 0;
  }

  Receipts receipts_;
  Ticket ticket_ = 0;
  Ticket acknowledged_ = 0;
};

TEST_F(ReceiptsTest, AMessageThatWasNotAcknowledgedIsKnownAgain) {
  Took(1, 'a');
  AcknowledgeAll();
  Took(2, 'b');
  Resume();
  EXPECT_TRUE(Again(2, 'b'));
  EXPECT_FALSE(Again(3, 'b')) << "an identical new one";
}

// After a crash a refused message is in the dead letters only, and no receipt of it is left.
TEST_F(ReceiptsTest, ARefusedMessageAmongThoseThatComeAgainHidesNoOther) {
  Took(1, 'a');
  Took(3, 'c');
  AcknowledgeAll();
  Restart();
  Resume();
  EXPECT_TRUE(Again(1, 'a'));
  auto refused = Message(2, 'r');
  refused.refused = true;
  EXPECT_FALSE(receipts_.Redelivered(refused));
  receipts_.Add(refused);
  EXPECT_TRUE(Again(3, 'c'));
}

TEST_F(ReceiptsTest, NothingIsKnownAgainInTheSameConnection) {
  Took(1, 'a');
  EXPECT_FALSE(Again(1, 'a'));
}

TEST_F(ReceiptsTest, NothingIsKnownAgainInANewSession) {
  Took(1, 'a');
  receipts_.OnSession(false, 0);
  EXPECT_FALSE(Again(1, 'a'));
  Resume();
  EXPECT_TRUE(Again(1, 'a')) << "only what came in the new session";
}

TEST_F(ReceiptsTest, AMessageIsKnownAgainAsOftenAsItComesUnacknowledged) {
  Took(1, 'a');
  Resume();
  EXPECT_TRUE(Again(1, 'a'));
  Resume();
  EXPECT_TRUE(Again(1, 'a'));
  AcknowledgeAll();
  EXPECT_FALSE(Again(1, 'a'));
}

TEST_F(ReceiptsTest, ARedeliveryMayComeAfterNewMessagesIfItIsCertain) {
  Took(1, 'a');
  Resume();
  Took(2, 'x');
  EXPECT_TRUE(Again(1, 'a'));
}

TEST_F(ReceiptsTest, WhatWasPerhapsAcknowledgedIsKnownAgainWhileNothingNewHasCome) {
  Took(1, 'a');
  Took(2, 'b');
  Took(3, 'c');
  Restart();
  Resume();
  EXPECT_TRUE(Again(2, 'b'));
  Took(4, 'd');
  EXPECT_FALSE(Again(3, 'c'));
}

TEST_F(ReceiptsTest, WhatWasPerhapsAcknowledgedIsNotAwaitedBehindTheAnswerToTheSubscription) {
  Took(1, 'a');
  Restart();
  Resume();
  receipts_.OnCaughtUp();
  EXPECT_FALSE(Again(1, 'a'));
}

TEST_F(ReceiptsTest, WhatWasCertainlyNotAcknowledgedIsAwaitedBehindThatAnswer) {
  Took(1, 'a');
  Resume();
  receipts_.OnCaughtUp();
  EXPECT_TRUE(Again(1, 'a'));
}

TEST_F(ReceiptsTest, ABrokerThatReusesIdsLosesNoIdenticalReading) {
  for (int i = 0; i < 3; ++i) {
    Took(1, 'a');
    AcknowledgeAll();
  }
  Resume();
  EXPECT_FALSE(Again(1, 'a'));
  AcknowledgeAll();
  Restart();
  Resume();
  EXPECT_FALSE(Again(1, 'a')) << "what was learned of the ids outlives a restart";
}

TEST_F(ReceiptsTest, ABrokerThatReusesIdsIsUnderstoodWhereNoDoubtIs) {
  for (int i = 0; i < 3; ++i) {
    Took(1, 'a');
    AcknowledgeAll();
  }
  Took(1, 'a');
  Resume();
  EXPECT_TRUE(Again(1, 'a')) << "no PUBACK was written";
  AcknowledgeAll();
  Resume();
  EXPECT_TRUE(Again(1, 'a', /*same_record=*/true)) << "the reader takes both for one";
}

TEST_F(ReceiptsTest, ABrokerThatRenumbersWhatItSendsAgainLosesAndDoublesNothing) {
  for (uint16_t id = 1; id <= 4; ++id) Took(id, 'x' + id);
  AcknowledgeAll();
  for (uint16_t id = 5; id <= 7; ++id) Took(id, 'a');
  Resume();
  // Three of them are owed to us, and four are new; which ones makes no difference.
  int known = 0;
  for (uint16_t id = 1; id <= 7; ++id) known += Again(id, 'a') ? 1 : 0;
  EXPECT_EQ(known, 3);
}

TEST_F(ReceiptsTest, UnderANewIdAMessageIsKnownUntilTheFirstNewOne) {
  Took(5, 'a');
  Took(6, 'b');
  Took(7, 'c');
  Resume();
  EXPECT_TRUE(Again(1, 'a'));
  EXPECT_TRUE(Again(2, 'b'));
  EXPECT_FALSE(Again(3, 'd'));
  EXPECT_FALSE(Again(4, 'c')) << "it may be new";
}

TEST_F(ReceiptsTest, WhatIsKnownUnderANewIdIsExpectedUnderThatOneNext) {
  Took(5, 'a');
  Resume();
  EXPECT_TRUE(Again(1, 'a'));
  Resume();
  EXPECT_TRUE(Again(1, 'a'));
  EXPECT_FALSE(Again(5, 'a'));
}

TEST_F(ReceiptsTest, UnderANewIdWhatWasPerhapsAcknowledgedIsNewUnlessTheReaderTakesBothForOne) {
  Took(5, 'a');
  EXPECT_FALSE(Again(6, 'b', /*same_record=*/true));
  AcknowledgeAll();
  Resume();
  EXPECT_TRUE(Again(1, 'b', /*same_record=*/true));
  EXPECT_FALSE(Again(2, 'a')) << "an identical new one looks the same";
}

TEST_F(ReceiptsTest, ASnapshotKnowsNothingUnderANewId) {
  Took(5, 'a');
  Restart();
  Resume();
  EXPECT_FALSE(Again(1, 'a', /*same_record=*/true));
}

TEST_F(ReceiptsTest, AnIdWithOtherContentEndsTheWait) {
  Took(1, 'a');
  Took(2, 'b');
  Resume();
  EXPECT_FALSE(Again(1, 'x'));
  EXPECT_FALSE(Again(2, 'b'));
}

TEST_F(ReceiptsTest, TheWaitEndsAfterAWindowOfNewMessages) {
  Took(1, 'a');
  Resume();
  for (uint32_t i = 0; i <= Receipts::kWindow; ++i) Took(static_cast<uint16_t>(2 + i), 1000 + i);
  EXPECT_FALSE(receipts_.waiting());
}

TEST_F(ReceiptsTest, NoMoreThanAWindowIsRemembered) {
  for (uint32_t i = 0; i < 3 * Receipts::kWindow; ++i) Took(static_cast<uint16_t>(i), i);
  InputReceipts saved;
  receipts_.Save(saved);
  EXPECT_EQ(saved.receipts.size(), Receipts::kWindow);
  EXPECT_EQ(saved.receipts.back().packet_id, 3 * Receipts::kWindow - 1);
}

using ReceiptsDeathTest = ReceiptsTest;

TEST_F(ReceiptsDeathTest, AnEarlierTicketAfterALaterOneIsABug) {
  receipts_.Add({.packet_id = 1, .fingerprint = 1, .ticket = 2});
  EXPECT_DEATH(receipts_.Add({.packet_id = 2, .fingerprint = 2, .ticket = 1}), "order");
}

}  // namespace
}  // namespace tidegate
