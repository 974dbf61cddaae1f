#include "drivers/mqtt/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/support/poll_loop.h"

namespace tidegate {
namespace {

using testing::AnyOf;
using testing::Contains;

TEST(ResolverTest, OnlyNamesNeedALookup) {
  EXPECT_FALSE(Resolver::NeedsLookup("127.0.0.1"));
  EXPECT_FALSE(Resolver::NeedsLookup("::1"));
  EXPECT_FALSE(Resolver::NeedsLookup("localhost"));
  EXPECT_TRUE(Resolver::NeedsLookup("broker.example"));
  EXPECT_TRUE(Resolver::NeedsLookup("300.1.1.1"));
}

TEST(ResolverTest, AnswersOnTheLoop) {
  PollLoop loop;
  Resolver resolver(loop);
  std::optional<Resolver::Answer> answer;
  ASSERT_TRUE(resolver.Resolve("localhost", [&](Resolver::Answer got) { answer = got; }).ok());
  EXPECT_FALSE(answer.has_value());
  ASSERT_TRUE(loop.RunUntil([&] { return answer.has_value(); }));
  ASSERT_TRUE(answer->ok()) << answer->error().message;
  EXPECT_THAT(**answer, Contains(AnyOf("127.0.0.1", "::1")));
}

TEST(ResolverTest, AnImpossibleNameIsAnError) {
  PollLoop loop;
  Resolver resolver(loop);
  std::optional<Resolver::Answer> answer;
  // Longer than any name may be, so that no server is asked.
  const std::string name(300, 'x');
  ASSERT_TRUE(resolver.Resolve(name, [&](Resolver::Answer got) { answer = got; }).ok());
  ASSERT_TRUE(loop.RunUntil([&] { return answer.has_value(); }));
  ASSERT_FALSE(answer->ok());
  EXPECT_EQ(answer->error().code, ErrorCode::kUnavailable);
}

TEST(ResolverTest, ACancelledLookupIsNotAnswered) {
  PollLoop loop;
  int answers = 0;
  {
    Resolver resolver(loop);
    ASSERT_TRUE(resolver.Resolve("localhost", [&](Resolver::Answer) { ++answers; }).ok());
    resolver.Cancel();
    ASSERT_TRUE(resolver.Resolve("localhost", [&](Resolver::Answer) { answers += 10; }).ok());
    ASSERT_TRUE(loop.RunUntil([&] { return answers > 0; }));
    ASSERT_TRUE(resolver.Resolve("localhost", [&](Resolver::Answer) { ++answers; }).ok());
  }
  for (int i = 0; i < 20; ++i) loop.RunOnce(std::chrono::milliseconds(1));
  EXPECT_EQ(answers, 10);
}

}  // namespace
}  // namespace tidegate
