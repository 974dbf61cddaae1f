#include "core/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CredentialsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "credentials-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    outside_ = pattern;
    folder_ = outside_ / "credentials";
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(outside_); }

  void Put(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  Credentials Open() const { return Credentials(folder_.string()); }

  std::filesystem::path outside_;
  std::filesystem::path folder_;
};

TEST_F(CredentialsTest, ReadsTheContentWithoutOneNewline) {
  Put("kafka.sasl.password", "secret\n");
  Put("two", "a\n\n");
  Put("none", "");
  EXPECT_EQ(**Open().Read("kafka.sasl.password"), "secret");
  EXPECT_EQ(**Open().Read("two"), "a\n");
  EXPECT_EQ(**Open().Read("none"), "");
}

TEST_F(CredentialsTest, AnAbsentOneIsNoError) {
  const auto absent = Open().Read("absent");
  ASSERT_TRUE(absent.ok());
  EXPECT_FALSE(*absent);
  EXPECT_FALSE(Open().Path("absent"));
  const auto without_folder = Credentials("").Read("absent");
  ASSERT_TRUE(without_folder.ok());
  EXPECT_FALSE(*without_folder);
  EXPECT_THAT(Credentials("").Names(), ElementsAre());
}

TEST_F(CredentialsTest, NoNameLeadsOutOfTheFolder) {
  std::ofstream(outside_ / "other") << "x";
  for (const char* name : {"../other", "..", ".", "", "a/b", "a b", "a%2fb"}) {
    const auto read = Open().Read(name);
    ASSERT_FALSE(read.ok()) << name;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_FALSE(Open().Path(name)) << name;
  }
}

TEST_F(CredentialsTest, WhatIsNoReadableFileOrTooLargeIsInvalidAndNeverShown) {
  std::filesystem::create_directory(folder_ / "folder");
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  Put("large", std::string(Credentials::kMaxBytes + 1, 's'));
  Put("largest", std::string(Credentials::kMaxBytes, 's'));
  for (const char* name : {"folder", "fifo", "large"}) {
    const auto read = Open().Read(name);
    ASSERT_FALSE(read.ok()) << name;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(read.error().message, HasSubstr(name));
    EXPECT_THAT(read.error().message, testing::Not(HasSubstr("sss")));
  }
  EXPECT_TRUE(Open().Read("largest").ok());
}

TEST_F(CredentialsTest, ListsNamesSortedAndGivesPaths) {
  Put("b", "");
  Put("a", "");
  EXPECT_THAT(Open().Names(), ElementsAre("a", "b"));
  EXPECT_EQ(Open().Path("a"), (folder_ / "a").string());
}

TEST_F(CredentialsTest, TheFolderComesFromTheEnvironment) {
  Put("a", "1");
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  EXPECT_EQ(**Credentials::FromEnvironment().Read("a"), "1");
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_FALSE(*Credentials::FromEnvironment().Read("a"));
}

}  // namespace
}  // namespace tidegate
