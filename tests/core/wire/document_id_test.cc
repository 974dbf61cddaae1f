#include <gtest/gtest.h>

#include "core/wire/wire_message.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;

IdParts Parts() {
  IdParts parts;
  parts.tenant = "acme";
  parts.asset = "truck/1";
  parts.sequence_id = "gw-7:1f2e3d4c:42";
  parts.value = "abc";
  return parts;
}

TEST(DocumentIdTest, TheSourcesOwnIdComesFirst) {
  IdParts parts = Parts();
  parts.event_id = "e-1";
  parts.source_time = WallTime(milliseconds(1));
  EXPECT_EQ(DocumentId(parts), "acme/truck%2F1/e-1");
}

// 44bc2cf5ad770999 is XXH64("abc", seed 0) of the algorithm's own test vectors: both ends must
// agree for ever.
TEST(DocumentIdTest, SourceTimeAndHashOfTheValue) {
  IdParts parts = Parts();
  parts.source_time = WallTime(milliseconds(1750639021000));
  EXPECT_EQ(DocumentId(parts), "acme/truck%2F1/1750639021000/44bc2cf5ad770999");
}

TEST(DocumentIdTest, HashKeepsItsLeadingZeros) {
  IdParts parts = Parts();
  parts.source_time = WallTime(milliseconds(0));
  for (int i = 0; i < 64; ++i) {
    const std::string value = std::to_string(i);
    parts.value = value;
    EXPECT_EQ(DocumentId(parts).size(), std::string("acme/truck%2F1/0/").size() + 16);
  }
}

TEST(DocumentIdTest, OtherwiseTheSequence) {
  EXPECT_EQ(DocumentId(Parts()), "gw-7:1f2e3d4c:42");
}

TEST(DocumentIdTest, AnAlertIsNamedByItsRuleAndTheTimeItWasRaised) {
  EXPECT_EQ(AlertId({.tenant = "acme",
                     .asset = "a%b",
                     .rule = "OVERHEAT",
                     .raised_at = WallTime(milliseconds(1750639021000)),
                     .status = "cleared"}),
            "acme/a%25b/OVERHEAT/1750639021000/cleared");
}

}  // namespace
}  // namespace tidegate
