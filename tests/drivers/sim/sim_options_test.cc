#include "drivers/sim/sim_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tidegate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Result<SimOptions> Parse(const std::string& text, const std::string& tenant = "") {
  const Result<Uri> uri = ParseUri(text);
  EXPECT_TRUE(uri.ok()) << text;
  if (!uri.ok()) return uri.error();
  Input input;
  input.tenant = tenant;
  return ParseSimOptions(input, *uri);
}

TEST(SimOptionsTest, HasDefaults) {
  const auto options = Parse("sim:");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->fleet.assets, 100u);
  EXPECT_EQ(options->rate, 10);
  EXPECT_EQ(options->count, 0u);
  EXPECT_THAT(options->fleet.tenants, ElementsAre("demo"));
}

TEST(SimOptionsTest, ReadsEverySetting) {
  const auto options =
      Parse("sim:?assets=7&rate=0.5&seed=18446744073709551615&tenant=acme&count=9&kind=reading");
  ASSERT_TRUE(options.ok()) << options.error().message;
  EXPECT_EQ(options->fleet.assets, 7u);
  EXPECT_EQ(options->rate, 0.5);
  EXPECT_EQ(options->fleet.seed, UINT64_MAX);
  EXPECT_EQ(options->count, 9u);
  EXPECT_THAT(options->fleet.tenants, ElementsAre("acme"));
  EXPECT_THAT(Parse("sim:", "given")->fleet.tenants, ElementsAre("given"));
}

TEST(SimOptionsTest, NamesAllProblemsAtOnce) {
  const auto options = Parse("sim:/x?assets=0&rate=-1&seed=x&count=1e3&tenant=a/b&colour=red");
  ASSERT_FALSE(options.ok());
  EXPECT_EQ(options.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(options.error().message,
              AllOf(HasSubstr("neither host nor path"), HasSubstr("assets=0"), HasSubstr("rate=-1"),
                    HasSubstr("seed=x"), HasSubstr("count=1e3"), HasSubstr("tenant=a/b"),
                    HasSubstr("'colour' is unknown")));
  EXPECT_FALSE(Parse("sim:?rate=nan").ok());
}

}  // namespace
}  // namespace tidegate
