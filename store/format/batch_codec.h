// Encodes a batch as the bytes of one row: self-contained, compressed and checksummed. The format
// is store/README.md, "Batch body". Decode reads untrusted bytes. Pure; the object only keeps its
// buffers and contexts for the next call. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/record.h"
#include "core/result.h"
#include "store/format/batch_contents.h"
#include "store/store.h"

namespace tidegate {

// The head of a body, which is enough to count its records without decompressing them.
struct BatchHeader {
  RecordClass record_class = RecordClass::kHeartbeat;
  Seq first_seq = 0;
  uint64_t count = 0;
};

class BatchCodec {
 public:
  // The version that Encode writes; Decode reads every earlier one as well.
  static constexpr uint8_t kVersion = 2;
  // Level of zstd. On batches this small a higher level costs more time and saves no bytes:
  // store/README.md.
  static constexpr int kDefaultLevel = 1;
  // Bounds on what a damaged or hostile body can make a reader allocate.
  static constexpr uint64_t kMaxRawBytes = 64ull << 20;
  static constexpr uint64_t kMaxRecords = 1'000'000;

  explicit BatchCodec(int level = kDefaultLevel);
  ~BatchCodec();

  // Returns a view that lives until the next call. kRejected: over kMaxRawBytes or kMaxRecords.
  // REQUIRES: the batch has records, all of its class, and a first seq of at most 56 bits.
  Result<std::string_view> Encode(const BatchView& batch);

  // kCorrupt: not a body, damaged, or of a later version; the message says what and where.
  Result<Batch> Decode(std::string_view body);

  // Checks the checksum and reads the head only. kCorrupt: as Decode.
  static Result<BatchHeader> Inspect(std::string_view body);

  // Bytes that the contexts and buffers hold at present.
  size_t MemoryBytes() const;

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
  std::string raw_;
  std::string body_;
};

}  // namespace tidegate
