#include "drivers/uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(UriTest, SplitsAnMqttInput) {
  const Result<Uri> uri = ParseUri(
      "MQTT://gw7@broker.example:1884/fleet/{tenant}/{asset}/+/#?client_id=a&kind=reading");
  ASSERT_TRUE(uri.ok()) << uri.error().message;
  EXPECT_EQ(uri->scheme, "mqtt");
  EXPECT_EQ(uri->user, "gw7");
  EXPECT_EQ(uri->host, "broker.example");
  EXPECT_EQ(uri->port, 1884);
  EXPECT_EQ(uri->path, "/fleet/{tenant}/{asset}/+/#");
  EXPECT_THAT(uri->query, ElementsAre(Pair("client_id", "a"), Pair("kind", "reading")));
}

TEST(UriTest, LeavesOutWhatIsNotGiven) {
  const Result<Uri> uri = ParseUri("mqtt://localhost");
  ASSERT_TRUE(uri.ok());
  EXPECT_EQ(uri->user, "");
  EXPECT_EQ(uri->port, 0);
  EXPECT_EQ(uri->path, "");
  EXPECT_TRUE(uri->query.empty());
}

TEST(UriTest, TakesSchemesWithoutAnAuthority) {
  const Result<Uri> serial = ParseUri("serial:/dev/serial/by-id/usb-GPS_1?baud=9600&codec=nmea");
  ASSERT_TRUE(serial.ok());
  EXPECT_EQ(serial->scheme, "serial");
  EXPECT_EQ(serial->host, "");
  EXPECT_EQ(serial->path, "/dev/serial/by-id/usb-GPS_1");
  EXPECT_THAT(serial->query, ElementsAre(Pair("baud", "9600"), Pair("codec", "nmea")));

  const Result<Uri> empty_authority = ParseUri("serial:///dev/ttyUSB0");
  ASSERT_TRUE(empty_authority.ok());
  EXPECT_EQ(empty_authority->path, "/dev/ttyUSB0");

  const Result<Uri> sim = ParseUri("sim:?assets=100");
  ASSERT_TRUE(sim.ok());
  EXPECT_EQ(sim->path, "");
  EXPECT_THAT(sim->query, ElementsAre(Pair("assets", "100")));
}

TEST(UriTest, TakesAnIpv6Host) {
  const Result<Uri> uri = ParseUri("mqtts://[::1]:8884/t");
  ASSERT_TRUE(uri.ok());
  EXPECT_EQ(uri->host, "::1");
  EXPECT_EQ(uri->port, 8884);
}

TEST(UriTest, DecodesEachPartAfterSplittingIt) {
  const Result<Uri> uri = ParseUri("mqtt://a%40b@h/x%3Fy%2Fz?asset=caf%C3%A9%26co&note=1+1=2");
  ASSERT_TRUE(uri.ok());
  EXPECT_EQ(uri->user, "a@b");
  EXPECT_EQ(uri->path, "/x?y/z");
  EXPECT_THAT(uri->query, ElementsAre(Pair("asset", "café&co"), Pair("note", "1+1=2")));
}

TEST(UriTest, TakesAQueryNameWithoutAValue) {
  const Result<Uri> uri = ParseUri("mqtt://h/t?flag");
  ASSERT_TRUE(uri.ok());
  EXPECT_THAT(uri->query, ElementsAre(Pair("flag", "")));
}

TEST(UriTest, RefusesAPasswordWithoutRepeatingIt) {
  const Result<Uri> uri = ParseUri("mqtt://user:hunter2@host/t");
  ASSERT_FALSE(uri.ok());
  EXPECT_EQ(uri.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(uri.error().message, HasSubstr("credential"));
  EXPECT_THAT(uri.error().message, Not(HasSubstr("hunter2")));
}

// They parse, and a part of the password would be shown as a port, a path or a query.
TEST(UriTest, RefusesWhatMayBeAPasswordWithASlashOrAQuestionMark) {
  for (const char* text :
       {"mqtt://user:12/se{cret@host/t", "mqtt://user:12?cret@host/t", "mqtt://user:12/cret@host",
        "mqtt:user:12/cret@host", "mqtt://h:1883/t?client_id=a@b"}) {
    const Result<Uri> uri = ParseUri(text);
    ASSERT_FALSE(uri.ok()) << text;
    EXPECT_THAT(uri.error().message, AllOf(HasSubstr("password"), HasSubstr("%40"))) << text;
    EXPECT_THAT(uri.error().message, Not(HasSubstr("cret"))) << text;
  }
  for (const char* text :
       {"mqtt://h:1883/t%40x?client_id=a%40b", "mqtt://user@h:1883/t", "mqtt://h/t@x",
        "mqtt://h/t?client_id=a@b:c", "sim:?tenant=a@b", "serial:/dev/tty@1"}) {
    EXPECT_TRUE(ParseUri(text).ok()) << text;
  }
}

class MalformedUriTest : public testing::TestWithParam<const char*> {};

TEST_P(MalformedUriTest, IsRefused) {
  const Result<Uri> uri = ParseUri(GetParam());
  ASSERT_FALSE(uri.ok());
  EXPECT_EQ(uri.error().code, ErrorCode::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(Table, MalformedUriTest,
                         testing::Values("", "localhost/topic", "//host/t", ":x", "1mqtt://h/t",
                                         "mq tt://h/t", "mqtt://h:/t", "mqtt://h:0/t",
                                         "mqtt://h:65536/t", "mqtt://h:18x/t", "mqtt://:1883/t",
                                         "mqtt://u@/t", "mqtt://@h/t", "mqtt://[::1/t",
                                         "mqtt://[::1]x/t", "mqtt://h/100%", "mqtt://h/%4",
                                         "mqtt://h/%zz", "mqtt://h/a%00b", "mqtt://h/a\nb",
                                         "mqtt://h/t?=x", "mqtt://h/t?a=1&&b=2",
                                         "mqtt://h/t?a=1&a=2", "mqtt://h/t?a=%q1"));

}  // namespace
}  // namespace tidegate
