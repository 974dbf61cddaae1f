#include "drivers/serial/serial_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tidegate {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Result<SerialOptions> Parse(const std::string& text) {
  const Result<Uri> uri = ParseUri(text);
  EXPECT_TRUE(uri.ok()) << text;
  if (!uri.ok()) return uri.error();
  Input input;
  input.name = "gps";
  return ParseSerialOptions(input, *uri);
}

TEST(SerialOptionsTest, DefaultsTo9600EightN1JsonLines) {
  const auto options = Parse("serial:/dev/ttyUSB0");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->device, "/dev/ttyUSB0");
  EXPECT_EQ(options->codec, SerialCodec::kJsonLines);
  EXPECT_EQ(ToText(options->format), "9600 8N1");
  EXPECT_EQ(options->input.name, "gps");
}

TEST(SerialOptionsTest, ReadsEverySetting) {
  const auto options = Parse(
      "serial:/dev/serial/by-id/usb-u-blox_AG-if00?codec=nmea&baud=115200&parity=odd&stop=2&data=7"
      "&asset=truck-1&tenant=acme&kind=reading");
  ASSERT_TRUE(options.ok()) << options.error().message;
  EXPECT_EQ(options->device, "/dev/serial/by-id/usb-u-blox_AG-if00");
  EXPECT_EQ(options->codec, SerialCodec::kNmea);
  EXPECT_EQ(ToText(options->format), "115200 7O2");
  EXPECT_EQ(ToText(Parse("serial:/dev/a?parity=even")->format), "9600 8E1");
  EXPECT_EQ(ToText(Parse("serial:/dev/a?parity=none&stop=1&data=8")->format), "9600 8N1");
}

TEST(SerialOptionsTest, NamesAllProblemsAtOnce) {
  const auto options = Parse("serial:dev?codec=csv&baud=9601&parity=mark&stop=3&data=9&flow=xon");
  ASSERT_FALSE(options.ok());
  EXPECT_EQ(options.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(options.error().message,
              AllOf(HasSubstr("absolute path"), HasSubstr("codec=csv is none of json-lines, nmea"),
                    HasSubstr("baud=9601"), HasSubstr("parity=mark"), HasSubstr("stop=3"),
                    HasSubstr("data=9"), HasSubstr("'flow' is unknown")));
}

TEST(SerialOptionsTest, RefusesWhatCannotWork) {
  EXPECT_FALSE(Parse("serial://host:1/dev/ttyUSB0").ok());
  EXPECT_FALSE(Parse("serial:").ok());
  EXPECT_FALSE(Parse("serial:/").ok());
  EXPECT_FALSE(Parse("serial:/dev/a?baud=").ok());
  EXPECT_FALSE(Parse("serial:/dev/a?baud=9600x").ok());
  EXPECT_FALSE(Parse("serial:/dev/a?baud=-9600").ok());
  EXPECT_FALSE(Parse("serial:/dev/a?codec=nmea").ok()) << "no asset";
  EXPECT_TRUE(Parse("serial:/dev/a?codec=nmea&asset=truck-1").ok());
}

}  // namespace
}  // namespace tidegate
