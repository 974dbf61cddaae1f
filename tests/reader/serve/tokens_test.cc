#include "reader/serve/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::reader {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string ProblemOf(std::string_view text) {
  const auto table = TokenTable::Parse(text);
  return table.ok() ? "none" : table.error().message;
}

TEST(Tokens, ABearerTokenIsFoundWithItsTenantsAndRole) {
  const auto table = TokenTable::Parse(
      "# the workshop\n"
      "\n"
      "  correct-horse-battery-staple tenants=acme,globex role=read\r\n"
      "another-token-of-sixteen role=admin tenants=*");
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(table->size(), 2u);
  std::string name;
  const Principal* reader = table->Find("Bearer correct-horse-battery-staple", &name);
  ASSERT_NE(reader, nullptr);
  EXPECT_EQ(name.size(), 8u);
  const std::string first = name;
  EXPECT_TRUE(reader->MaySee("acme") && reader->MaySee("globex"));
  EXPECT_FALSE(reader->MaySee("initech") || reader->MaySee("") || reader->MaySee("*"));
  EXPECT_EQ(reader->role, Role::kRead);
  const Principal* admin = table->Find("bearer another-token-of-sixteen", &name);
  ASSERT_NE(admin, nullptr);
  EXPECT_NE(name, first);
  EXPECT_TRUE(admin->MaySee("anyone"));
  EXPECT_EQ(admin->role, Role::kAdmin);
}

TEST(Tokens, NothingElseIsFound) {
  const auto table = TokenTable::Parse("correct-horse-battery-staple tenants=acme role=read");
  ASSERT_TRUE(table.ok());
  for (const char* text :
       {"", "Bearer", "Bearer ", "Bearer correct-horse-battery-stapl",
        "correct-horse-battery-staple", "Bearer correct-horse-battery-staple ",
        "Bearer  correct-horse-battery-staple", "Bearercorrect-horse-battery-staple",
        "Basic correct-horse-battery-staple", "Bearer Correct-horse-battery-staple"}) {
    EXPECT_EQ(table->Find(text, nullptr), nullptr) << text;
  }
  EXPECT_EQ(table->Find("Bearer " + std::string(1'000'000, 'x'), nullptr), nullptr);
}

TEST(Tokens, ADigestStandsForItsToken) {
  const auto table = TokenTable::Parse(
      "sha256:0b14d501a594442a01c6859541bcb3e8164d183d32937b851835442f69d5c94e tenants=* "
      "role=read");
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_NE(table->Find("Bearer password1", nullptr), nullptr);
  EXPECT_EQ(table->Find("Bearer password2", nullptr), nullptr);
  EXPECT_EQ(
      table->Find("Bearer sha256:0b14d501a594442a01c6859541bcb3e8164d183d32937b851835442f69d5c94e",
                  nullptr),
      nullptr);
}

TEST(Tokens, AThousandIsNotTheEnd) {
  std::string text;
  for (int i = 0; i < 10'000; ++i)
    text += "a-token-of-sixteen-bytes-" + std::to_string(i) + " tenants=t" + std::to_string(i) +
            " role=read\n";
  const auto table = TokenTable::Parse(text);
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(table->size(), 10'000u);
  const Principal* one = table->Find("Bearer a-token-of-sixteen-bytes-9999", nullptr);
  ASSERT_NE(one, nullptr);
  EXPECT_TRUE(one->MaySee("t9999"));
  EXPECT_FALSE(one->MaySee("t999"));
}

TEST(Tokens, WhatIsWrongIsToldByItsLineAndNeverWithTheToken) {
  EXPECT_THAT(ProblemOf(""), HasSubstr("no token"));
  EXPECT_THAT(ProblemOf("# only a remark\n"), HasSubstr("no token"));
  EXPECT_THAT(ProblemOf("a-token-of-sixteen-bytes tenants=a role=read\nshort tenants=a role=read"),
              HasSubstr("line 2"));
  for (const char* rest :
       {"", "tenants=a", "role=read", "tenants= role=read", "tenants=a/b role=read",
        "tenants=a role=write", "tenants=a role=read x"}) {
    const std::string problem = ProblemOf(std::string("a-token-of-sixteen-bytes ") + rest);
    EXPECT_THAT(problem, HasSubstr("line 1")) << rest;
    EXPECT_THAT(problem, Not(HasSubstr("a-token-of"))) << rest;
  }
  EXPECT_THAT(ProblemOf("sha256:12 tenants=a role=read"), HasSubstr("64 hexadecimal"));
  EXPECT_THAT(ProblemOf("a-token-of-sixteen-bytes tenants=a role=read\n"
                        "a-token-of-sixteen-bytes tenants=b role=read"),
              HasSubstr("earlier line"));
}

}  // namespace
}  // namespace tidegate::reader
