#include "drivers/serial/serial_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "tests/drivers/serial/collecting_inbox.h"
#include "tests/drivers/serial/scripted_stream.h"
#include "tests/drivers/serial/sentences.h"
#include "tests/support/manual_loop.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SerialDriverTest : public testing::Test {
 protected:
  void Start(SerialCodec codec = SerialCodec::kJsonLines) {
    SerialOptions options;
    options.device = "/dev/ttyUSB0";
    options.codec = codec;
    options.input.name = "gps";
    driver_ = std::make_unique<SerialDriver>(options, std::make_unique<ScriptedStream>(device_),
                                             clock_, log_, metrics_, 1);
    ASSERT_TRUE(driver_->Start(loop_, inbox_).ok());
  }
  // The bytes arrive while the loop turns.
  void Send(const std::string& bytes) {
    device_.Send(bytes);
    Turn();
  }
  void Turn() { loop_.FireReadable(ScriptedDevice::kFd); }
  void HangUp() { loop_.Fire(ScriptedDevice::kFd, {.readable = true, .hung_up = true}); }
  void Unplug() {
    device_.Unplug();
    HangUp();
  }
  double Metric(const std::string& name_and_labels) {
    const std::string text = metrics_.Text();
    const size_t at = text.find("\n" + name_and_labels + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name_and_labels.size() + 2));
  }
  double Dropped(const std::string& reason) {
    return Metric("tidegate_serial_dropped_lines_total{input=\"gps\",reason=\"" + reason + "\"}");
  }

  FakeClock clock_;
  ManualLoop loop_{clock_};
  std::vector<std::string> lines_;
  Log log_{LogLevel::kInfo, [this](LogLevel, std::string_view line) { lines_.emplace_back(line); }};
  Metrics metrics_;
  CollectingInbox inbox_;
  ScriptedDevice device_;
  std::unique_ptr<SerialDriver> driver_;
};

TEST_F(SerialDriverTest, OffersEachLine) {
  Start();
  Send("{\"a\":1}\n{\"a\"");
  Send(":2}\r\n\r\n{\"a\":3}\n{");
  EXPECT_THAT(inbox_.payloads, ElementsAre("{\"a\":1}", "{\"a\":2}", "{\"a\":3}"));
  EXPECT_EQ(inbox_.origin, "/dev/ttyUSB0");
  EXPECT_EQ(inbox_.tenant, "");
  EXPECT_FALSE(driver_->Starved());
  driver_->Settled(3);
  EXPECT_EQ(driver_->settled(), 3u);
  EXPECT_TRUE(driver_->status().connected);
  EXPECT_EQ(driver_->status().detail, "open, 9600 8N1");
}

using SerialDriverDeathTest = SerialDriverTest;

TEST_F(SerialDriverDeathTest, ATicketThatWasNeverAcceptedIsNotSettled) {
  Start();
  Send("{}\n");
  EXPECT_EXIT(driver_->Settled(2), testing::KilledBySignal(SIGABRT),
              "only accepted tickets are settled");
}

TEST_F(SerialDriverTest, HandsOnWhatIsNoJsonForTheDeadLetters) {
  Start();
  Send("\x80\xff{\n{\"a\":1}\n");
  EXPECT_THAT(inbox_.payloads, ElementsAre("\x80\xff{", "{\"a\":1}"));
}

TEST_F(SerialDriverTest, DropsALineOverTheLimit) {
  Start();
  const std::string longest(256 * 1024, 'x');
  for (char c : {'a', 'b'}) {
    Send(longest + (c == 'a' ? "" : "x") + "\n");
    while (!device_.unread.empty()) Turn();
  }
  Send("{}\n");
  EXPECT_THAT(inbox_.payloads, ElementsAre(longest, "{}"));
  EXPECT_EQ(Dropped("too_long"), 1);
}

TEST_F(SerialDriverTest, AbsentAtStartIsOpenedWhenItComes) {
  device_.Unplug();
  Start();
  EXPECT_FALSE(driver_->status().connected);
  EXPECT_THAT(driver_->status().detail, HasSubstr("No such file"));
  loop_.Advance(1h);
  EXPECT_GE(lines_.size(), 50u);
  EXPECT_LE(lines_.size(), 60u) << "one line a minute at most";
  device_.Plug();
  loop_.Advance(10s);
  Send("{}\n");
  EXPECT_THAT(inbox_.payloads, ElementsAre("{}"));
}

TEST_F(SerialDriverTest, UnplugAndReplug) {
  Start();
  Send("{\"a\":1}\n{\"torn\":");
  Unplug();
  EXPECT_FALSE(driver_->status().connected);
  EXPECT_FALSE(loop_.Watching(ScriptedDevice::kFd));
  EXPECT_EQ(Dropped("torn"), 1);
  loop_.Advance(1min);
  device_.Plug();
  loop_.Advance(10s);
  EXPECT_TRUE(driver_->status().connected);
  Send("{\"a\":2}\n");
  EXPECT_THAT(inbox_.payloads, ElementsAre("{\"a\":1}", "{\"a\":2}"));
  EXPECT_EQ(Metric("tidegate_serial_opened_total{input=\"gps\"}"), 2);
}

TEST_F(SerialDriverTest, BacksOffFromADeviceThatOpensAndGivesNothing) {
  Start();
  for (int i = 0; i < 20; ++i) {
    Unplug();
    device_.Plug();
    loop_.Advance(*loop_.NextTimer());
  }
  EXPECT_EQ(device_.opens, 21);
  Unplug();
  EXPECT_GE(*loop_.NextTimer(), 5s);
  EXPECT_LE(*loop_.NextTimer(), 10s);
  device_.Plug();
  loop_.Advance(10s);
  Send("{}\n");
  Unplug();
  EXPECT_LE(*loop_.NextTimer(), 500ms);
}

TEST_F(SerialDriverTest, WithoutRoomItStopsReadingAndLosesNothing) {
  Start();
  inbox_.places = 1;
  Send("1\n2\n3\n4");
  EXPECT_THAT(inbox_.payloads, ElementsAre("1"));
  EXPECT_EQ(inbox_.refused, 1u);
  EXPECT_FALSE(loop_.WantsReadable(ScriptedDevice::kFd));
  EXPECT_THAT(driver_->status().detail, HasSubstr("waiting for room"));
  device_.Send("4\n5\n");

  inbox_.places = 2;
  driver_->Resume();
  EXPECT_THAT(inbox_.payloads, ElementsAre("1", "2"));
  EXPECT_FALSE(loop_.WantsReadable(ScriptedDevice::kFd));
  driver_->Resume();
  EXPECT_EQ(inbox_.payloads.size(), 2u);

  inbox_.places = 100;
  driver_->Resume();
  EXPECT_TRUE(loop_.WantsReadable(ScriptedDevice::kFd));
  Turn();
  EXPECT_THAT(inbox_.payloads, ElementsAre("1", "2", "3", "44", "5"));
  driver_->Resume();
  EXPECT_EQ(inbox_.payloads.size(), 5u);
}

TEST_F(SerialDriverTest, ReadsNoFurtherThanTheRoom) {
  Start();
  inbox_.places = 0;
  device_.Send("1\n" + std::string(1'000'000, '\n'));
  Turn();
  EXPECT_GE(device_.unread.size(), 1'000'000u - 4096);
}

TEST_F(SerialDriverTest, UnpluggedWithoutRoomItKeepsWholeLines) {
  Start();
  inbox_.places = 0;
  Send("1\n2\n3");
  Unplug();
  EXPECT_FALSE(loop_.Watching(ScriptedDevice::kFd));
  device_.Plug();
  loop_.Advance(10s);
  EXPECT_TRUE(driver_->status().connected);
  EXPECT_FALSE(loop_.WantsReadable(ScriptedDevice::kFd));
  inbox_.places = 100;
  driver_->Resume();
  Send("4\n");
  EXPECT_THAT(inbox_.payloads, ElementsAre("1", "2", "4"));
  EXPECT_EQ(Dropped("torn"), 1);
}

TEST_F(SerialDriverTest, ResumesWhileTheDeviceIsAway) {
  Start();
  inbox_.places = 0;
  Send("1\n2\n");
  Unplug();
  inbox_.places = 100;
  driver_->Resume();
  EXPECT_THAT(inbox_.payloads, ElementsAre("1", "2"));
}

TEST_F(SerialDriverTest, CountsWhatTheLineLost) {
  Start();
  device_.errors = {.overruns = 5, .garbled = 1};
  Send("{}\n");
  device_.errors.overruns = 7;
  Send("{}\n");
  EXPECT_EQ(Metric("tidegate_serial_overruns_total{input=\"gps\"}"), 7);
  EXPECT_EQ(Metric("tidegate_serial_garbled_total{input=\"gps\"}"), 1);
  Unplug();
  device_.Plug();
  loop_.Advance(10s);
  device_.errors.overruns = 2;
  Send("{}\n");
  EXPECT_EQ(Metric("tidegate_serial_overruns_total{input=\"gps\"}"), 9);
}

TEST_F(SerialDriverTest, StopReadsNothingMoreAndCountsWhatItHeld) {
  Start();
  inbox_.places = 0;
  Send("1\n2\n3\n");
  driver_->Stop();
  EXPECT_FALSE(device_.open);
  EXPECT_EQ(loop_.armed_timers(), 0u);
  EXPECT_EQ(Dropped("stopped"), 3);
  inbox_.places = 100;
  driver_->Resume();
  driver_->Settled(0);
  driver_->Stop();
  EXPECT_THAT(inbox_.payloads, IsEmpty());
  EXPECT_FALSE(driver_->status().connected);
}

constexpr char kGga[] = "GPGGA,120000,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,";
constexpr char kRmc[] = "GPRMC,120000,A,4807.038,N,01131.000,E,10.0,084.4,230625,,,A";
constexpr char kVoidRmc[] = "GPRMC,120100,V,,,,,,,230625,,,N";

class NmeaDriverTest : public SerialDriverTest {
 protected:
  static std::string Line(const std::string& body) { return nmea::WithChecksum(body) + "\r\n"; }
};

TEST_F(NmeaDriverTest, MergesAnEpoch) {
  Start(SerialCodec::kNmea);
  Send("noise" + Line(kGga) + Line("GPGSA,A,3") + Line(kRmc));
  ASSERT_EQ(inbox_.payloads.size(), 1u);
  EXPECT_THAT(inbox_.payloads[0], HasSubstr("2025-06-23T12:00:00.000Z"));
  EXPECT_THAT(inbox_.payloads[0], HasSubstr("\"altitude_m\":545.4"));
}

TEST_F(NmeaDriverTest, WaitsNoLongerThanASecond) {
  Start(SerialCodec::kNmea);
  Send(Line(kGga));
  loop_.Advance(999ms);
  EXPECT_THAT(inbox_.payloads, IsEmpty());
  // Other sentences do not lengthen it.
  Send(Line("GPGSA,A,3"));
  loop_.Advance(1ms);
  EXPECT_EQ(inbox_.payloads.size(), 1u);
  EXPECT_EQ(loop_.armed_timers(), 0u);
}

TEST_F(NmeaDriverTest, AnEpochThatBeginsLaterHasItsOwnSecond) {
  Start(SerialCodec::kNmea);
  Send(Line(kGga));
  loop_.Advance(900ms);
  Send(Line(kVoidRmc));
  EXPECT_EQ(inbox_.payloads.size(), 1u);
  loop_.Advance(900ms);
  EXPECT_EQ(inbox_.payloads.size(), 1u);
  loop_.Advance(100ms);
  EXPECT_THAT(inbox_.payloads, ElementsAre(HasSubstr("\"fix\":\"gps\""), "{\"fix\":\"none\"}"));
  EXPECT_EQ(Metric("tidegate_serial_no_fix_total{input=\"gps\"}"), 1);
}

TEST_F(NmeaDriverTest, AnEpochIsNotFlushedWhileItsPartnerMayWaitBehindAPause) {
  Start(SerialCodec::kNmea);
  inbox_.places = 0;
  Send(Line(kVoidRmc) + Line(kGga) + Line(kRmc));
  loop_.Advance(10s);
  inbox_.places = 100;
  driver_->Resume();
  EXPECT_EQ(inbox_.payloads.size(), 2u);
  EXPECT_THAT(inbox_.payloads[1], HasSubstr("2025-06-23"));
  EXPECT_THAT(inbox_.payloads[1], HasSubstr("altitude_m"));
}

TEST_F(NmeaDriverTest, AFlushWithoutRoomIsOfferedAgain) {
  Start(SerialCodec::kNmea);
  inbox_.places = 0;
  Send(Line(kGga));
  loop_.Advance(1s);
  EXPECT_EQ(inbox_.refused, 1u);
  EXPECT_FALSE(loop_.WantsReadable(ScriptedDevice::kFd));
  inbox_.places = 1;
  driver_->Resume();
  EXPECT_EQ(inbox_.payloads.size(), 1u);
  EXPECT_TRUE(loop_.WantsReadable(ScriptedDevice::kFd));
}

TEST_F(NmeaDriverTest, CountsNoiseAndGoesOn) {
  Start(SerialCodec::kNmea);
  Send("$GPRMC,120000,A*00\r\n\x01\x02\x03\n" + std::string(500, '~') + "\n" + Line(kGga) +
       Line(kRmc));
  EXPECT_EQ(inbox_.payloads.size(), 1u);
  EXPECT_EQ(Dropped("checksum"), 1);
  EXPECT_EQ(Dropped("malformed"), 1);
  EXPECT_EQ(Dropped("too_long"), 1);
  EXPECT_THAT(driver_->status().detail, HasSubstr("3 lines dropped"));
}

TEST_F(NmeaDriverTest, StopCountsTheEpochThatHasBegun) {
  Start(SerialCodec::kNmea);
  Send(Line(kGga));
  driver_->Stop();
  EXPECT_EQ(Dropped("stopped"), 1);
}

}  // namespace
}  // namespace tidegate
