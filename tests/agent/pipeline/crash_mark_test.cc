#include "agent/pipeline/crash_mark.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

class CrashMarkTest : public testing::Test {
 protected:
  CrashMarkTest() { Start(); }

  // The next process: what the previous one had in memory is gone.
  void Start() { mark_.emplace(path_, boot_, log_); }
  void DieWhileDecoding(uint64_t message) {
    ASSERT_TRUE(mark_->BeginDecoding(message));
    Start();
  }
  void DieWhileCommitting(uint64_t message) {
    ASSERT_TRUE(mark_->BeginDecoding(message));
    mark_->EndDecoding();
    mark_->BeginCommit();
    Start();
  }
  void Commit() {
    mark_->BeginCommit();
    mark_->EndCommit(true);
  }
  bool MayDecode(uint64_t message) {
    const bool may = mark_->BeginDecoding(message);
    mark_->EndDecoding();
    return may;
  }

  TempDir folder_;
  const std::string path_ = folder_.File("decoding");
  std::string boot_ = std::string(32, 'b');
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  std::optional<CrashMark> mark_;
};

TEST_F(CrashMarkTest, AMessageThatEndsTheProcessTwiceIsSetAside) {
  DieWhileDecoding(7);
  EXPECT_TRUE(MayDecode(8));
  DieWhileDecoding(7);
  EXPECT_TRUE(MayDecode(8));
  EXPECT_FALSE(MayDecode(7));
  Start();
  EXPECT_FALSE(MayDecode(7)) << "until it is stored";
  Commit();
  EXPECT_TRUE(MayDecode(7)) << "its dead letter is stored; this may be another message";
}

TEST_F(CrashMarkTest, AMessageThatIsStoredMeanwhileIsNotBlamed) {
  for (int i = 0; i < 5; ++i) {
    DieWhileDecoding(7);
    ASSERT_TRUE(MayDecode(7));
    Commit();
  }
}

TEST_F(CrashMarkTest, AnEndBetweenMessagesBlamesNone) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(MayDecode(7));
    Start();
  }
}

TEST_F(CrashMarkTest, AMessageThatIsDecodedToItsEndIsAcquitted) {
  for (int i = 0; i < 5; ++i) {
    DieWhileDecoding(7);
    ASSERT_TRUE(MayDecode(7));
    Start();
  }
}

TEST_F(CrashMarkTest, EndsDuringCommitsMakeCommitsSmallBeforeAnyoneIsBlamed) {
  for (uint32_t i = 0; i < CrashMark::kCommitDeaths; ++i) {
    EXPECT_FALSE(mark_->alone());
    DieWhileCommitting(7);
  }
  EXPECT_TRUE(mark_->alone());
  EXPECT_TRUE(MayDecode(7)) << "it was one of many";
  Commit();
  EXPECT_TRUE(mark_->alone()) << "the next message may be the one";
  DieWhileCommitting(9);
  DieWhileCommitting(9);
  EXPECT_FALSE(MayDecode(9));
  Commit();
  for (uint32_t i = 0; i < CrashMark::kAlone; ++i) {
    EXPECT_TRUE(MayDecode(i));
    Commit();
  }
  EXPECT_FALSE(mark_->alone());
}

TEST_F(CrashMarkTest, OneCommitBetweenEndsIsEnoughToGoOnAsEver) {
  for (uint32_t i = 0; i < 3 * CrashMark::kCommitDeaths; ++i) {
    DieWhileCommitting(7);
    ASSERT_FALSE(mark_->alone());
    if (i % 5 != 4) continue;
    ASSERT_TRUE(MayDecode(7));
    Commit();
  }
}

TEST_F(CrashMarkTest, APowerCutIsNobodysFault) {
  for (char boot : {'c', 'd', 'e'}) {
    ASSERT_TRUE(mark_->BeginDecoding(7));
    boot_ = std::string(32, boot);
    Start();
  }
  EXPECT_TRUE(MayDecode(7));
}

TEST_F(CrashMarkTest, SuspectsAreBounded) {
  for (uint64_t i = 1; i <= 2 * CrashMark::kSuspects; ++i) DieWhileDecoding(i);
  DieWhileDecoding(2 * CrashMark::kSuspects);
  EXPECT_FALSE(MayDecode(2 * CrashMark::kSuspects));
  EXPECT_TRUE(MayDecode(1)) << "forgotten";
}

TEST_F(CrashMarkTest, WhatIsNoMarkIsReplaced) {
  DieWhileDecoding(7);
  for (const std::string& bytes :
       {std::string(), std::string("TGMARK01"), std::string(5000, 'x')}) {
    std::ofstream(path_, std::ios::trunc | std::ios::binary) << bytes;
    Start();
    EXPECT_TRUE(MayDecode(7));
    EXPECT_FALSE(mark_->alone());
  }
}

TEST_F(CrashMarkTest, WithoutAFileItIsWithoutEffect) {
  for (const std::string& path : {std::string(), folder_.File(""), folder_.File("no/such")}) {
    CrashMark mark(path, boot_, log_);
    EXPECT_TRUE(mark.BeginDecoding(7));
    mark.EndDecoding();
    mark.BeginCommit();
    mark.EndCommit(true);
  }
}

TEST_F(CrashMarkTest, AFileThatIsDeletedOrEmptiedMeanwhileDoesNoHarm) {
  std::ofstream(path_, std::ios::trunc);
  EXPECT_TRUE(MayDecode(7));
  Commit();
  std::filesystem::remove(path_);
  for (uint64_t message = 1; message < 100; ++message) EXPECT_TRUE(mark_->BeginDecoding(message));
  mark_->EndDecoding();
  Commit();
}

TEST_F(CrashMarkTest, TheLastOfManyMessagesIsBlamed) {
  for (int life = 0; life < 2; ++life) {
    for (uint64_t message = 1; message < 9; ++message) ASSERT_TRUE(MayDecode(message));
    DieWhileDecoding(9);
  }
  EXPECT_TRUE(MayDecode(1));
  EXPECT_TRUE(MayDecode(8));
  EXPECT_FALSE(MayDecode(9));
}

TEST_F(CrashMarkTest, TheFileIsThePrivateOneOfItsUser) {
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(CrashMarkIdentityTest, InputOriginAndPayloadAreTheMessage) {
  Message message{.payload = "p", .tenant = {}, .asset = {}, .origin = "o", .packet_id = {}};
  const uint64_t identity = CrashMark::Identify("in", message);
  message.packet_id = 7;
  EXPECT_EQ(CrashMark::Identify("in", message), identity);
  EXPECT_NE(CrashMark::Identify("other", message), identity);
  message.origin = "other";
  EXPECT_NE(CrashMark::Identify("in", message), identity);
  message.origin = "o";
  message.payload = "other";
  EXPECT_NE(CrashMark::Identify("in", message), identity);
}

}  // namespace
}  // namespace tidegate
