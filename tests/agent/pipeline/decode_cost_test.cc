// Decoding is linear in the bytes of a payload, whatever its shape.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <functional>
#include <string>

#include "agent/pipeline/decode.h"
#include "tests/support/work.h"

namespace tidegate {
namespace {

struct CountingSink final : DecodeSink {
  void OnRecord(Record&&, const DecodedRecord& decoded) override {
    ++records;
    (void)decoded.Field("temperature_c");
    (void)decoded.Field("additional_data.temperature_c");
  }
  void OnRefused(std::string_view, std::string) override { ++refused; }
  size_t records = 0;
  size_t refused = 0;
};

std::string Members(size_t count, std::string_view prefix) {
  std::string members;
  for (size_t i = 0; i < count; ++i)
    members += fmt::format("{}\"{}{:05}\":{}", i == 0 ? "" : ",", prefix, i, i);
  return members;
}

// Returns how many times as much work 16 times the members are.
double Growth(const std::function<std::string(size_t members)>& payload, const WorkMeter& meter) {
  const auto cost = [&](size_t members) {
    const std::string text = payload(members);
    DecodeContext context;
    context.default_tenant = "acme";
    return meter.Measure([&] {
      CountingSink sink;
      Decode(text, context, {}, sink);
      EXPECT_GT(sink.records + sink.refused, 0U);
    });
  };
  return cost(4'800) / cost(300);
}

TEST(DecodeCostTest, SixteenTimesTheMembersAreNoMoreThanTwentyTimesTheWork) {
  const WorkMeter meter;
  // Time is less exact; a quadratic look-up takes more than a hundred times as long.
  const double most = meter.exact() ? 20 : 40;
  const auto members_twice = [](size_t n) {
    return fmt::format(R"({{"asset_id":"a",{},"additional_data":{{{}}}}})", Members(n, "a"),
                       Members(n, "b"));
  };
  EXPECT_LE(Growth(members_twice, meter), most) << "in the record and in its additional_data";
  const auto members = [](size_t n) {
    return fmt::format(R"({{"asset_id":"a",{}}})", Members(n, "k"));
  };
  EXPECT_LE(Growth(members, meter), most) << "of one object";
  const auto long_names = [](size_t n) {
    return fmt::format(R"({{"asset_id":"a",{}}})", Members(n, "a_name_that_all_of_them_share_"));
  };
  EXPECT_LE(Growth(long_names, meter), most) << "with names that begin alike";
  const auto elements = [](size_t n) {
    std::string array = R"([{"asset_id":"a"})";
    for (size_t i = 1; i < n; ++i) array += i % 2 == 0 ? ",{}" : R"(,{"asset_id":"a"})";
    return array + "]";
  };
  EXPECT_LE(Growth(elements, meter), most) << "elements, every second of them refused";
}

}  // namespace
}  // namespace tidegate
