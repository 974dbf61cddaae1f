#include "store/batch_codec.h"

#include <fmt/format.h>
#include <xxhash.h>
#include <zstd.h>

#include <cassert>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/varint.h"

namespace tidegate {
namespace {

constexpr uint8_t kMagic = 0xB7;
constexpr size_t kChecksumBytes = 8;
// A buffer that one exceptional batch has grown is given back.
constexpr size_t kKeptBufferBytes = 1 << 20;
constexpr uint8_t kFlagSourceTime = 1;
constexpr uint8_t kFlagClockSynced = 2;

struct FreeCCtx {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDCtx {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Error Corrupt(std::string_view what, size_t offset) {
  return {ErrorCode::kCorrupt, fmt::format("batch body: {} at byte {}", what, offset)};
}

void PutChecksum(std::string& out) {
  const uint64_t sum = XXH64(out.data(), out.size(), 0);
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(sum >> shift));
}

uint64_t GetChecksum(std::string_view bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kChecksumBytes; ++i) {
    sum |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  return sum;
}

struct Envelope {
  BatchHeader header;
  uint64_t raw_bytes = 0;
  std::string_view compressed;
};

Result<Envelope> OpenEnvelope(std::string_view body) {
  ByteReader reader(body);
  if (body.size() < 2 + kChecksumBytes) return Corrupt("too short", body.size());
  if (*reader.Byte() != kMagic) return Corrupt("no magic byte", 0);
  const uint8_t version = *reader.Byte();
  if (version != BatchCodec::kVersion) {
    return Corrupt(fmt::format("version {} is unknown", version), 1);
  }
  const std::string_view summed = body.substr(0, body.size() - kChecksumBytes);
  if (XXH64(summed.data(), summed.size(), 0) != GetChecksum(body.substr(summed.size()))) {
    return Corrupt("checksum does not match", summed.size());
  }
  reader = ByteReader(summed);
  (void)reader.Bytes(2);
  const auto record_class = reader.Byte();
  if (!record_class || *record_class >= kRecordClassCount) return Corrupt("no such class", 2);
  const auto first_seq = reader.Varint();
  const auto count = reader.Varint();
  const auto raw_bytes = reader.Varint();
  if (!first_seq || !count || !raw_bytes) return Corrupt("header ends early", reader.offset());
  if (*first_seq == 0 || *first_seq >> 56 != 0) return Corrupt("impossible seq", reader.offset());
  if (*count == 0 || *count > BatchCodec::kMaxRecords) {
    return Corrupt("impossible count", reader.offset());
  }
  if (*raw_bytes > BatchCodec::kMaxRawBytes) return Corrupt("impossible size", reader.offset());
  Envelope envelope;
  envelope.header = {static_cast<RecordClass>(*record_class), *first_seq, *count};
  envelope.raw_bytes = *raw_bytes;
  envelope.compressed = *reader.Bytes(reader.left());
  return envelope;
}

// Sources of a batch: each (tenant, asset) is written once and then named by its index.
class SourceTable {
 public:
  // 0: a new one; else its index from 1.
  uint64_t Refer(const Record& record) {
    const auto [entry, is_new] = indexes_.try_emplace(
        std::pair<std::string_view, std::string_view>(record.tenant, record.asset),
        indexes_.size() + 1);
    return is_new ? 0 : entry->second;
  }

 private:
  std::map<std::pair<std::string_view, std::string_view>, uint64_t> indexes_;
};

void PutStamp(std::string& raw, const ClockStamp& stamp) {
  PutString(raw, stamp.boot_id);
  PutVarint(raw, ZigZag(stamp.since_boot.count()));
  PutVarint(raw, ZigZag(stamp.wall.time_since_epoch().count()));
  raw.push_back(stamp.synced ? 1 : 0);
}

void PutRecords(std::string& raw, std::span<const Record> records) {
  SourceTable sources;
  int64_t previous_time = 0;
  for (const Record& record : records) {
    const int64_t time = record.time.time_since_epoch().count();
    raw.push_back(
        static_cast<char>((record.time_source == TimeSource::kSource ? kFlagSourceTime : 0) |
                          (record.clock_synced ? kFlagClockSynced : 0)));
    PutVarint(raw, ZigZag(static_cast<int64_t>(static_cast<uint64_t>(time) -
                                               static_cast<uint64_t>(previous_time))));
    previous_time = time;
    const uint64_t source = sources.Refer(record);
    PutVarint(raw, source);
    if (source == 0) {
      PutString(raw, record.tenant);
      PutString(raw, record.asset);
    }
    PutVarint(raw, record.value.size());
  }
  for (const Record& record : records) raw.append(record.value);
}

// nullopt: the bytes end early or hold an impossible value.
std::optional<ClockStamp> GetStamp(ByteReader& reader) {
  const auto boot_id = reader.String();
  const auto since_boot = reader.Varint();
  const auto wall = reader.Varint();
  const auto synced = reader.Byte();
  if (!boot_id || !since_boot || !wall || !synced || *synced > 1) return std::nullopt;
  ClockStamp stamp;
  stamp.boot_id = *boot_id;
  stamp.since_boot = BootTime(UnZigZag(*since_boot));
  stamp.wall = WallTime(std::chrono::milliseconds(UnZigZag(*wall)));
  stamp.synced = *synced == 1;
  return stamp;
}

class RecordReader {
 public:
  RecordReader(ByteReader& reader, RecordClass record_class)
      : reader_(reader), record_class_(record_class) {}

  // One record without its value, and that value's size.
  std::optional<std::pair<Record, uint64_t>> Head() {
    const auto flags = reader_.Byte();
    const auto time = reader_.Varint();
    const auto source = reader_.Varint();
    if (!flags || *flags > (kFlagSourceTime | kFlagClockSynced) || !time || !source) {
      return std::nullopt;
    }
    if (*source == 0) {
      const auto tenant = reader_.String();
      const auto asset = reader_.String();
      if (!tenant || !asset) return std::nullopt;
      sources_.emplace_back(*tenant, *asset);
    }
    if (*source > sources_.size()) return std::nullopt;
    const auto value_bytes = reader_.Varint();
    if (!value_bytes) return std::nullopt;
    time_ += static_cast<uint64_t>(UnZigZag(*time));
    const auto& [tenant, asset] = *source == 0 ? sources_.back() : sources_[*source - 1];
    Record record;
    record.record_class = record_class_;
    record.time_source =
        (*flags & kFlagSourceTime) != 0 ? TimeSource::kSource : TimeSource::kGateway;
    record.clock_synced = (*flags & kFlagClockSynced) != 0;
    record.time = WallTime(std::chrono::milliseconds(static_cast<int64_t>(time_)));
    record.tenant = tenant;
    record.asset = asset;
    return std::pair(std::move(record), *value_bytes);
  }

 private:
  ByteReader& reader_;
  RecordClass record_class_;
  uint64_t time_ = 0;  // Unsigned, so that hostile differences wrap and do not overflow.
  std::vector<std::pair<std::string_view, std::string_view>> sources_;
};

Result<Batch> ParseRaw(const BatchHeader& header, std::string_view raw) {
  ByteReader reader(raw);
  auto stamp = GetStamp(reader);
  if (!stamp) return Corrupt("bad clock stamp in the contents", reader.offset());
  Batch batch;
  batch.first_seq = header.first_seq;
  batch.record_class = header.record_class;
  batch.stamp = std::move(*stamp);
  RecordReader records(reader, header.record_class);
  std::vector<uint64_t> value_bytes;
  for (uint64_t i = 0; i < header.count; ++i) {
    auto head = records.Head();
    if (!head) return Corrupt(fmt::format("bad record {} in the contents", i), reader.offset());
    batch.records.push_back(std::move(head->first));
    value_bytes.push_back(head->second);
  }
  for (size_t i = 0; i < value_bytes.size(); ++i) {
    const auto value = reader.Bytes(value_bytes[i]);
    if (!value)
      return Corrupt(fmt::format("value {} ends early in the contents", i), reader.offset());
    batch.records[i].value = *value;
  }
  if (reader.left() != 0) return Corrupt("bytes left over in the contents", reader.offset());
  return batch;
}

}  // namespace

struct BatchCodec::Contexts {
  std::unique_ptr<ZSTD_CCtx, FreeCCtx> compress{ZSTD_createCCtx()};
  std::unique_ptr<ZSTD_DCtx, FreeDCtx> decompress{ZSTD_createDCtx()};
};

BatchCodec::BatchCodec(int level) : contexts_(std::make_unique<Contexts>()) {
  ZSTD_CCtx* const context = contexts_->compress.get();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0);
}

BatchCodec::~BatchCodec() = default;

Result<std::string_view> BatchCodec::Encode(const BatchHeader& header, const ClockStamp& stamp,
                                            std::span<const Record> records) {
  assert(!records.empty() && header.first_seq >> 56 == 0);
  uint64_t value_bytes = 0;
  for (const Record& record : records) value_bytes += record.value.size();
  // 512: the bounds of tenant and asset, and the numbers.
  if (records.size() > kMaxRecords || value_bytes + records.size() * 512 > kMaxRawBytes) {
    return Error{
        ErrorCode::kRejected,
        fmt::format("encode batch: {} records of {} bytes are more than one batch may hold",
                    records.size(), value_bytes)};
  }
  for (std::string* const buffer : {&raw_, &body_}) {
    buffer->clear();
    if (buffer->capacity() > kKeptBufferBytes) buffer->shrink_to_fit();
  }
  PutStamp(raw_, stamp);
  PutRecords(raw_, records);
  body_.push_back(static_cast<char>(kMagic));
  body_.push_back(static_cast<char>(kVersion));
  body_.push_back(static_cast<char>(header.record_class));
  PutVarint(body_, header.first_seq);
  PutVarint(body_, records.size());
  PutVarint(body_, raw_.size());
  const size_t head_bytes = body_.size();
  body_.resize(head_bytes + ZSTD_compressBound(raw_.size()));
  const size_t size = ZSTD_compress2(contexts_->compress.get(), body_.data() + head_bytes,
                                     body_.size() - head_bytes, raw_.data(), raw_.size());
  if (ZSTD_isError(size)) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("encode batch: zstd: {}", ZSTD_getErrorName(size))};
  }
  body_.resize(head_bytes + size);
  PutChecksum(body_);
  return std::string_view(body_);
}

Result<Batch> BatchCodec::Decode(std::string_view body) {
  auto envelope = OpenEnvelope(body);
  if (!envelope.ok()) return envelope.error();
  // Not a string: a size that a damaged header claims is reserved, but never touched.
  const std::unique_ptr<char[]> raw(new char[envelope->raw_bytes + 1]);
  const size_t size =
      ZSTD_decompressDCtx(contexts_->decompress.get(), raw.get(), envelope->raw_bytes,
                          envelope->compressed.data(), envelope->compressed.size());
  const size_t at = body.size() - kChecksumBytes - envelope->compressed.size();
  if (ZSTD_isError(size)) return Corrupt(fmt::format("zstd: {}", ZSTD_getErrorName(size)), at);
  if (size != envelope->raw_bytes) return Corrupt("contents have another size", at);
  return ParseRaw(envelope->header, {raw.get(), size});
}

Result<BatchHeader> BatchCodec::Inspect(std::string_view body) {
  auto envelope = OpenEnvelope(body);
  if (!envelope.ok()) return envelope.error();
  return envelope->header;
}

size_t BatchCodec::MemoryBytes() const {
  return ZSTD_sizeof_CCtx(contexts_->compress.get()) +
         ZSTD_sizeof_DCtx(contexts_->decompress.get()) + raw_.capacity() + body_.capacity();
}

}  // namespace tidegate
