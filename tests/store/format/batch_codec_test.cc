#include "store/format/batch_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

using testing::HasSubstr;

const ClockStamp kStamp{"0123456789abcdef0123456789abcdef", BootTime(123'456'789),
                        WallTime(std::chrono::milliseconds(1'750'638'901'000)), true};

// What the golden file holds.
std::vector<Record> GoldenRecords() {
  auto records = FleetSource(42, 5).Take(12);
  records.push_back(MakeRecord(R"({"tenant_id":"other","asset_id":"b/ö"})", RecordClass::kHeartbeat,
                               "other", "b/ö"));
  records.push_back(MakeRecord("", RecordClass::kHeartbeat, "acme", "empty"));
  records.back().time = WallTime(std::chrono::milliseconds(-62'135'596'800'000));
  return records;
}

const std::vector<std::string> kInputs{"depot", "yard"};

// What version 2 adds to GoldenRecords, everything irregular.
Batch GoldenBatch() {
  Batch batch;
  batch.first_seq = 7;
  batch.stamp = kStamp;
  batch.records = GoldenRecords();
  batch.inputs = kInputs;
  batch.numbering = Numbering{"0a1b2c3d", 99};
  for (uint32_t i = 0; i < batch.records.size(); ++i) {
    Arrival arrival{{}, 2 * i + i / 5, static_cast<uint16_t>(i / 3 % 2), std::nullopt};
    if (i % 7 != 6) arrival.packet_id = static_cast<uint16_t>(65'530 + i / 2);
    if (batch.records[i].time_source == TimeSource::kGateway) {
      arrival.since_boot = std::chrono::milliseconds(77 * i);
    }
    batch.arrivals.push_back(arrival);
  }
  return batch;
}

// Arrivals as an MQTT input makes them: consecutive packet ids, each at its time.
std::vector<Arrival> LiveArrivals(std::span<const Record> records) {
  std::vector<Arrival> arrivals;
  for (uint32_t i = 0; i < records.size(); ++i) {
    const auto age =
        std::chrono::duration_cast<std::chrono::milliseconds>(kStamp.wall - records[i].time);
    Arrival arrival{{}, i, 0, static_cast<uint16_t>(40'000 + i)};
    if (records[i].time_source == TimeSource::kGateway) {
      arrival.since_boot =
          std::chrono::duration_cast<std::chrono::milliseconds>(kStamp.since_boot) - age;
    }
    arrivals.push_back(arrival);
  }
  return arrivals;
}

std::string Encoded(const BatchView& batch) {
  BatchCodec codec;
  return std::string(codec.Encode(batch).value());
}
std::string Encoded(std::span<const Record> records, Seq first_seq = 7) {
  return Encoded({records.front().record_class, first_seq, kStamp, records});
}

std::string Golden(const std::string& name) {
  std::ifstream file(std::string(GOLDEN_DIR) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Makes the checksum match again, so that the checks after it are reached.
std::string Resealed(std::string body) {
  body.resize(body.size() - 8);
  const uint64_t sum = XXH64(body.data(), body.size(), 0);
  for (int shift = 0; shift < 64; shift += 8) body.push_back(static_cast<char>(sum >> shift));
  return body;
}

std::string DecodeError(const std::string& body) {
  BatchCodec codec;
  const auto batch = codec.Decode(body);
  EXPECT_FALSE(batch.ok());
  if (batch.ok()) return "";
  EXPECT_EQ(batch.error().code, ErrorCode::kCorrupt);
  return batch.error().message;
}

TEST(BatchCodec, ReturnsWhatWasEncoded) {
  BatchCodec codec;
  for (const RecordClass record_class : kRecordClasses) {
    const auto records = FleetSource().Take(100, record_class);
    const auto body = codec.Encode({record_class, 1'000'000'007, kStamp, records});
    ASSERT_TRUE(body.ok());
    const auto header = BatchCodec::Inspect(*body);
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(header->count, 100u);
    const auto batch = codec.Decode(std::string(*body));
    ASSERT_TRUE(batch.ok()) << batch.error().message;
    EXPECT_EQ(batch->record_class, record_class);
    EXPECT_EQ(batch->first_seq, 1'000'000'007u);
    EXPECT_EQ(batch->stamp.boot_id, kStamp.boot_id);
    EXPECT_EQ(batch->stamp.since_boot, kStamp.since_boot);
    EXPECT_EQ(batch->stamp.wall, kStamp.wall);
    EXPECT_EQ(batch->stamp.synced, kStamp.synced);
    EXPECT_EQ(batch->records, records);
  }
}

TEST(BatchCodec, KeepsTimesAtTheEndsOfTheRange) {
  std::vector<Record> records(3, MakeRecord("{}"));
  records[0].time = WallTime(std::chrono::milliseconds(INT64_MAX));
  records[1].time = WallTime(std::chrono::milliseconds(INT64_MIN));
  BatchCodec codec;
  EXPECT_EQ(codec.Decode(Encoded(records))->records, records);
}

TEST(BatchCodec, ReturnsArrivalsInputsAndNumbering) {
  const Batch batch = GoldenBatch();
  BatchCodec codec;
  const auto decoded = codec.Decode(Encoded(BatchView::Of(batch)));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->records, batch.records);
  EXPECT_EQ(decoded->arrivals, batch.arrivals);
  EXPECT_EQ(decoded->inputs, batch.inputs);
  EXPECT_EQ(decoded->numbering, batch.numbering);
}

TEST(BatchCodec, KeepsArrivalsAtTheEndsOfTheirRanges) {
  std::vector<Record> records(4, MakeRecord("{}"));
  records[1].time = WallTime(std::chrono::milliseconds(INT64_MIN));
  records[2].time = WallTime(std::chrono::milliseconds(INT64_MAX));
  const std::vector<Arrival> arrivals{{std::chrono::milliseconds(0), UINT32_MAX, 1, 0},
                                      {std::chrono::milliseconds(INT64_MAX), 0, 0, 65'535},
                                      {std::chrono::milliseconds(INT64_MIN), 5, 1, 1},
                                      {std::chrono::milliseconds(1), 4, 0, 1}};
  BatchCodec codec;
  const auto decoded =
      codec.Decode(Encoded({RecordClass::kHeartbeat, 1, kStamp, records, arrivals, kInputs}));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->arrivals, arrivals);
}

TEST(BatchCodec, TimesOfArrivalAreKeptWhereTheGatewayDated) {
  auto records = FleetSource().Take(2);
  records[1].time_source = TimeSource::kGateway;
  const std::vector<Arrival> arrivals{{std::chrono::milliseconds(5), 0, 0, std::nullopt},
                                      {std::chrono::milliseconds(6), 1, 0, std::nullopt}};
  BatchCodec codec;
  const auto decoded =
      codec.Decode(Encoded({RecordClass::kHeartbeat, 1, kStamp, records, arrivals, kInputs}));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->arrivals[0].since_boot, std::chrono::milliseconds(0));
  EXPECT_EQ(decoded->arrivals[1].since_boot, std::chrono::milliseconds(6));
}

TEST(BatchCodec, DecodesTheGoldenFileOfVersion1) {
  BatchCodec codec;
  const auto batch = codec.Decode(Golden("batch_v1.bin"));
  ASSERT_TRUE(batch.ok()) << batch.error().message;
  EXPECT_EQ(batch->first_seq, 7u);
  EXPECT_EQ(batch->records, GoldenRecords());
  EXPECT_TRUE(batch->arrivals.empty());
}

TEST(BatchCodec, DecodesTheGoldenFileOfVersion2) {
  const Batch expected = GoldenBatch();
  if (std::getenv("TIDEGATE_WRITE_GOLDEN") != nullptr) {
    std::ofstream(std::string(GOLDEN_DIR) + "/batch_v2.bin", std::ios::binary)
        << Encoded(BatchView::Of(expected));
  }
  BatchCodec codec;
  const auto batch = codec.Decode(Golden("batch_v2.bin"));
  ASSERT_TRUE(batch.ok()) << batch.error().message;
  EXPECT_EQ(batch->first_seq, 7u);
  EXPECT_EQ(batch->records, expected.records);
  EXPECT_EQ(batch->arrivals, expected.arrivals);
  EXPECT_EQ(batch->inputs, expected.inputs);
  EXPECT_EQ(batch->numbering, expected.numbering);
}

TEST(BatchCodec, SeesEveryFlippedBit) {
  const std::string body = Encoded(FleetSource().Take(3));
  for (size_t bit = 0; bit < body.size() * 8; ++bit) {
    std::string damaged = body;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(DecodeError(damaged), "") << "bit " << bit;
  }
}

TEST(BatchCodec, SeesEveryTruncation) {
  const std::string body = Encoded(FleetSource().Take(3));
  for (size_t size = 0; size < body.size(); ++size)
    EXPECT_NE(DecodeError(body.substr(0, size)), "");
}

TEST(BatchCodec, SurvivesDamageThatTheChecksumDoesNotShow) {
  const Batch golden = GoldenBatch();
  const std::string body = Encoded(BatchView::Of(golden));
  BatchCodec codec;
  for (size_t i = 2; i + 8 < body.size(); ++i) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::string damaged = body;
      damaged[i] = static_cast<char>(value);
      const auto batch = codec.Decode(Resealed(damaged));
      EXPECT_TRUE(batch.ok() || batch.error().code == ErrorCode::kCorrupt);
    }
  }
}

TEST(BatchCodec, SaysWhatIsWrongAndWhere) {
  std::string body = Encoded(FleetSource().Take(1));
  EXPECT_THAT(DecodeError(""), HasSubstr("too short at byte 0"));
  EXPECT_THAT(DecodeError("x" + body.substr(1)), HasSubstr("no magic byte at byte 0"));
  std::string later = body;
  later[1] = 9;
  EXPECT_THAT(DecodeError(Resealed(later)), HasSubstr("version 9 is unknown at byte 1"));
  std::string other_class = body;
  other_class[2] = 4;
  EXPECT_THAT(DecodeError(Resealed(other_class)), HasSubstr("no such class at byte 2"));
  EXPECT_THAT(DecodeError(body.substr(0, body.size() - 1) + "?"),
              HasSubstr("checksum does not match"));
}

TEST(BatchCodec, HugeClaimsAreRefusedBeforeAnythingIsAllocated) {
  // Class 2, seq 1, count 1, 2^63 bytes of contents.
  std::string body =
      std::string("\xB7\x01\x02\x01\x01", 5) + std::string(9, '\x80') + "\x01" + std::string(8, 0);
  EXPECT_THAT(DecodeError(Resealed(body)), HasSubstr("impossible size"));
}

TEST(BatchCodec, RefusesABatchThatItCouldNotReadBack) {
  const std::vector<Record> records{MakeRecord(std::string(BatchCodec::kMaxRawBytes, 'x'))};
  BatchCodec codec;
  const auto body = codec.Encode({RecordClass::kHeartbeat, 1, kStamp, records});
  ASSERT_FALSE(body.ok());
  EXPECT_EQ(body.error().code, ErrorCode::kRejected);
}

TEST(BatchCodec, AHundredHeartbeatsTakeLessThanFortyBytesEach) {
  const auto records = FleetSource().Take(100);
  EXPECT_GT(records[0].value.size(), 300u);
  EXPECT_LT(Encoded(records).size(), 4000u);
}

TEST(BatchCodec, LiveArrivalsTakeAFewBytesInAll) {
  auto records = FleetSource().Take(100);
  for (const bool dated_by_gateway : {false, true}) {
    if (dated_by_gateway) {
      for (Record& record : records) record.time_source = TimeSource::kGateway;
    }
    const auto arrivals = LiveArrivals(records);
    const size_t without = Encoded(records).size();
    const size_t with =
        Encoded({RecordClass::kHeartbeat, 7, kStamp, records, arrivals, {kInputs.data(), 1}})
            .size();
    EXPECT_LE(with, without + 32);
    printf("100 heartbeats dated by %s: %zu bytes, %zu with arrivals\n",
           dated_by_gateway ? "the gateway" : "their source", without, with);
  }
}

}  // namespace
}  // namespace tidegate
