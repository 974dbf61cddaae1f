#include "agent/pipeline/retained.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate {
namespace {

class RetainedReceiptsTest : public testing::Test {
 protected:
  InputReceipts Saved() const {
    InputReceipts saved;
    retained_.Save(saved);
    return saved;
  }

  RetainedReceipts retained_;
};

TEST_F(RetainedReceiptsTest, AContentIsKnownTheSecondTime) {
  EXPECT_FALSE(retained_.Recognise("a", 1));
  EXPECT_TRUE(retained_.Recognise("a", 1));
  EXPECT_FALSE(retained_.Recognise("b", 1)) << "of another topic";
  EXPECT_FALSE(retained_.Recognise("a", 2)) << "another content";
  EXPECT_FALSE(retained_.Recognise("a", 1)) << "only the last one counts";
}

TEST_F(RetainedReceiptsTest, WhatCameBeforeItWasRetainedIsKnown) {
  retained_.Add("a", 1);
  EXPECT_TRUE(retained_.Recognise("a", 1));
}

TEST_F(RetainedReceiptsTest, LaterMessagesThatAreNotRetainedDoNotHideIt) {
  retained_.Recognise("a", 1);
  retained_.Add("a", 2);
  EXPECT_TRUE(retained_.Recognise("a", 1));
  EXPECT_TRUE(retained_.Recognise("a", 2)) << "the last message may be the retained one now";
}

TEST_F(RetainedReceiptsTest, WithoutARetainedMessageNothingIsSaved) {
  retained_.Add("a", 1);
  EXPECT_FALSE(retained_.active());
  EXPECT_TRUE(Saved().receipts.empty());
}

TEST_F(RetainedReceiptsTest, ASnapshotKeepsWhatIsKnown) {
  retained_.Add("a", 1);
  retained_.Recognise("b", 2);
  RetainedReceipts restored;
  restored.Load(Saved());
  EXPECT_TRUE(restored.active());
  EXPECT_TRUE(restored.Recognise("a", 1));
  EXPECT_TRUE(restored.Recognise("b", 2));
  EXPECT_FALSE(restored.Recognise("c", 2));
}

TEST_F(RetainedReceiptsTest, ReceiptsBeyondTheTableAreIgnored) {
  InputReceipts saved;
  saved.receipts = {{0xffff, 7}, {RetainedReceipts::kPlaces, 7}};
  retained_.Load(saved);
  EXPECT_FALSE(retained_.Recognise("a", 1));
}

TEST_F(RetainedReceiptsTest, AnyNumberOfTopicsIsBounded) {
  for (int i = 0; i < 100'000; ++i) retained_.Recognise(std::to_string(i), 1);
  EXPECT_LE(Saved().receipts.size(), RetainedReceipts::kPlaces);
}

TEST(RetainedInputTest, ItsNameNamesItsInput) {
  EXPECT_TRUE(IsRetainedInput(RetainedInputName("local")));
  EXPECT_EQ(InputOfRetained(RetainedInputName("local")), "local");
  EXPECT_FALSE(IsRetainedInput("local"));
  EXPECT_FALSE(IsRetainedInput("retained"));
}

}  // namespace
}  // namespace tidegate
