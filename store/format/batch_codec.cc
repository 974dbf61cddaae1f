#include "store/format/batch_codec.h"

#include <fmt/format.h>
#include <zstd.h>

#include "core/check.h"
#include "core/varint.h"
#include "store/format/checksum.h"

namespace tidegate {
namespace {

constexpr uint8_t kMagic = 0xB7;
// A buffer that one exceptional batch has grown is given back.
constexpr size_t kKeptBufferBytes = 1 << 20;
constexpr uint8_t kOldestVersion = 1;

struct FreeCCtx {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDCtx {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

struct Envelope {
  uint8_t version = 0;
  BatchHeader header;
  uint64_t raw_bytes = 0;
  std::string_view compressed;
};

Result<Envelope> OpenEnvelope(std::string_view body) {
  ByteReader reader(body);
  if (body.size() < 2 + kChecksumBytes) return CorruptBody("too short", body.size());
  if (*reader.Byte() != kMagic) return CorruptBody("no magic byte", 0);
  const uint8_t version = *reader.Byte();
  if (version < kOldestVersion || version > BatchCodec::kVersion) {
    return CorruptBody(fmt::format("version {} is unknown", version), 1);
  }
  const auto checked = CheckedBytes(body);
  if (!checked) return CorruptBody("checksum does not match", body.size() - kChecksumBytes);
  reader = ByteReader(*checked);
  (void)reader.Bytes(2);
  const auto record_class = reader.Byte();
  if (!record_class || *record_class >= kRecordClassCount) return CorruptBody("no such class", 2);
  const auto first_seq = reader.Varint();
  const auto count = reader.Varint();
  const auto raw_bytes = reader.Varint();
  if (!first_seq || !count || !raw_bytes) return CorruptBody("header ends early", reader.offset());
  if (*first_seq == 0 || *first_seq >> 56 != 0)
    return CorruptBody("impossible seq", reader.offset());
  if (*count == 0 || *count > BatchCodec::kMaxRecords) {
    return CorruptBody("impossible count", reader.offset());
  }
  if (*raw_bytes > BatchCodec::kMaxRawBytes) return CorruptBody("impossible size", reader.offset());
  Envelope envelope;
  envelope.version = version;
  envelope.header = {static_cast<RecordClass>(*record_class), *first_seq, *count};
  envelope.raw_bytes = *raw_bytes;
  envelope.compressed = *reader.Bytes(reader.left());
  CHECK(envelope.compressed.size() < body.size(), "the contents are a part of the body");
  return envelope;
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

Result<std::string_view> BatchCodec::Encode(const BatchView& batch) {
  CHECK(!batch.records.empty(), "a batch has records");
  CHECK(batch.first_seq != 0 && batch.first_seq >> 56 == 0, "a batch has a first seq");
  CHECK(batch.arrivals.empty() || batch.arrivals.size() == batch.records.size(),
        "each record of a batch has an arrival, or none has");
  // 512: the bounds of tenant and asset, and the numbers.
  uint64_t bytes = batch.records.size() * 512;
  for (const Record& record : batch.records) {
    CHECK(record.record_class == batch.record_class, "the records of a batch are of its class");
    bytes += record.value.size();
  }
  for (const std::string& input : batch.inputs) bytes += input.size();
  if (batch.records.size() > kMaxRecords || bytes > kMaxRawBytes) {
    return Error{
        ErrorCode::kRejected,
        fmt::format("encode batch: {} records of {} bytes are more than one batch may hold",
                    batch.records.size(), bytes)};
  }
  for (std::string* const buffer : {&raw_, &body_}) {
    buffer->clear();
    if (buffer->capacity() > kKeptBufferBytes) buffer->shrink_to_fit();
  }
  PutContents(raw_, batch);
  body_.push_back(static_cast<char>(kMagic));
  body_.push_back(static_cast<char>(kVersion));
  body_.push_back(static_cast<char>(batch.record_class));
  PutVarint(body_, batch.first_seq);
  PutVarint(body_, batch.records.size());
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
  AppendChecksum(body_);
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
  if (ZSTD_isError(size)) return CorruptBody(fmt::format("zstd: {}", ZSTD_getErrorName(size)), at);
  if (size != envelope->raw_bytes) return CorruptBody("contents have another size", at);
  Batch batch;
  batch.first_seq = envelope->header.first_seq;
  batch.record_class = envelope->header.record_class;
  auto status = GetContents({raw.get(), size}, envelope->version, envelope->header.count, batch);
  if (!status.ok()) return status.error();
  return batch;
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
