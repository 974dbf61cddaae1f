#include "core/json/key_set.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidegate::json {
namespace {

TEST(KeySetTest, FindsExactlyTheKeysThatWereInserted) {
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back("k" + std::to_string(i));
  KeySet set;
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_FALSE(set.Contains(keys[i]));
    EXPECT_TRUE(set.Insert(keys[i]));
    EXPECT_FALSE(set.Insert(keys[i])) << keys[i];
    EXPECT_TRUE(set.Contains(keys[0]));
    EXPECT_TRUE(set.Contains(keys[i / 2]));
  }
  EXPECT_FALSE(set.Contains("k"));
  EXPECT_FALSE(set.Contains(""));
}

TEST(KeySetTest, TheEmptyTextIsAKeyToo) {
  for (int others : {0, 100}) {
    std::vector<std::string> keys;
    for (int i = 0; i < others; ++i) keys.push_back(std::to_string(i));
    KeySet set;
    for (const std::string& key : keys) EXPECT_TRUE(set.Insert(key));
    EXPECT_FALSE(set.Contains(""));
    EXPECT_TRUE(set.Insert(""));
    EXPECT_FALSE(set.Insert(""));
    EXPECT_TRUE(set.Contains(""));
  }
}

TEST(KeySetDeathTest, AKeyIsAText) {
  KeySet set;
  EXPECT_DEATH((void)set.Insert(std::string_view()), "a key is a view");
}

}  // namespace
}  // namespace tidegate::json
