#include "core/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate {
namespace {

TEST(Utf8, TellsWellFormedFromOther) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("a\xC3\xA5\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF\xEF\xBF\xBF"));
  for (const char* text : {"\x80", "\xC3", "\xC3(", "\xE2\x82", "\xE2(\x82", "\xF0\x9F\x98",
                           "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                           "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(text));
    EXPECT_EQ(Utf8SequenceBytes(text), 0U);
  }
}

TEST(Utf8, SeesABadByteAtAnyPlace) {
  for (size_t at = 0; at < 20; ++at) {
    std::string text(20, 'a');
    EXPECT_TRUE(IsUtf8(text));
    text[at] = '\x80';
    EXPECT_FALSE(IsUtf8(text)) << at;
    EXPECT_TRUE(IsUtf8(text.substr(0, at) + "\xC3\xA5" + std::string(10, 'b'))) << at;
  }
}

TEST(Utf8, APrefixDividesNoCharacter) {
  EXPECT_EQ(Utf8Prefix("abc", 3), "abc");
  EXPECT_EQ(Utf8Prefix("abc", 2), "ab");
  EXPECT_EQ(Utf8Prefix("a\xE2\x82\xAC", 3), "a");
  EXPECT_EQ(Utf8Prefix("a\xE2\x82\xAC", 1), "a");
  EXPECT_EQ(Utf8Prefix("\xF0\x9F\x98\x80", 3), "");
  EXPECT_EQ(Utf8Prefix("\x80\x80\x80\x80\x80\x80", 4), "\x80\x80\x80\x80") << "no character anyway";
}

}  // namespace
}  // namespace tidegate
