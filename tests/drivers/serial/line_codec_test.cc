#include "drivers/serial/line_codec.h"

#include <gtest/gtest.h>

#include "tests/drivers/serial/sentences.h"

namespace tidegate {
namespace {

TEST(LineCodecTest, AJsonLineIsAPayloadWhateverItHolds) {
  const auto codec = MakeLineCodec(SerialCodec::kJsonLines);
  EXPECT_EQ(codec->max_line_bytes(), 256u * 1024);
  EXPECT_EQ(codec->Add("{\"a\":1}"), "{\"a\":1}");
  EXPECT_EQ(codec->Add("not json"), "not json");
  EXPECT_EQ(codec->patience(), std::nullopt);
  EXPECT_EQ(codec->Flush(), std::nullopt);
}

TEST(LineCodecTest, CountsWhyASentenceGaveNothing) {
  const auto codec = MakeLineCodec(SerialCodec::kNmea);
  codec->Add("$GPRMC,noise*00");
  codec->Add("what");
  codec->Add("is");
  codec->Add(nmea::WithChecksum("GPGSV,3,1,11"));
  codec->Add(nmea::WithChecksum("GPRMC,,V,,,,,,,,,,N"));
  codec->Add(nmea::WithChecksum("GPGGA,,,,,,0,,,,M,,M,,"));
  EXPECT_EQ(codec->faults().checksum, 1u);
  EXPECT_EQ(codec->faults().malformed, 2u);
  EXPECT_EQ(codec->faults().no_fix, 2u);
}

TEST(LineCodecTest, WaitsASecondForTheOtherSentence) {
  const auto codec = MakeLineCodec(SerialCodec::kNmea);
  EXPECT_EQ(codec->patience(), std::nullopt);
  codec->Add(nmea::WithChecksum("GPGGA,120000,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,"));
  EXPECT_EQ(codec->patience(), std::chrono::seconds(1));
  EXPECT_TRUE(codec->Flush().has_value());
  EXPECT_EQ(codec->patience(), std::nullopt);
}

}  // namespace
}  // namespace tidegate
