#include "core/nearest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidegate {
namespace {

TEST(Nearest, NamesTheCandidateAFewEditsAway) {
  const std::vector<std::string> names = {"TIDEGATE_TENANT", "TIDEGATE_TENANTS",
                                          "TIDEGATE_STORE_DIR", "TIDEGATE_STALE_AFTER"};
  EXPECT_EQ(Nearest("TIDEGATE_TENNANT", names), "TIDEGATE_TENANT");
  EXPECT_EQ(Nearest("tidegate_store_dri", names), "TIDEGATE_STORE_DIR");
  EXPECT_EQ(Nearest("TIDEGATE_TENANTS", names), "TIDEGATE_TENANTS");
  EXPECT_EQ(Nearest("TIDEGATE_STALEAFTER", names), "TIDEGATE_STALE_AFTER");
}

TEST(Nearest, IsSilentWhenNothingIsNear) {
  EXPECT_FALSE(Nearest("PATH", {"TIDEGATE_TENANT"}));
  EXPECT_FALSE(Nearest("x", {}));
  EXPECT_FALSE(Nearest("", {"mqtt"}));
  EXPECT_FALSE(Nearest(std::string(100'000, 'a'), {std::string(100'000, 'a')}));
  EXPECT_EQ(Nearest("mqt", {"http", "mqtt", "mqtts"}), "mqtt");
}

}  // namespace
}  // namespace tidegate
