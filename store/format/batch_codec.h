// A batch as the bytes of one row: self-contained, compressed, checksummed. store/README.md, "Batch
// body" is the format. Pure; the object only keeps its buffers and contexts for the next call. One
// thread.
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

// What the outside of a body says; enough to count it without decompressing.
struct BatchHeader {
  RecordClass record_class = RecordClass::kHeartbeat;
  Seq first_seq = 0;
  uint64_t count = 0;
};

class BatchCodec {
 public:
  static constexpr uint8_t kVersion = 2;  // What Encode writes; Decode reads all before it, too.
  // zstd's. On batches this small the higher levels cost more and give no fewer bytes:
  // store/README.md.
  static constexpr int kDefaultLevel = 1;
  // Bounds what a damaged or hostile body can make a reader allocate.
  static constexpr uint64_t kMaxRawBytes = 64ull << 20;
  static constexpr uint64_t kMaxRecords = 1'000'000;

  explicit BatchCodec(int level = kDefaultLevel);
  ~BatchCodec();

  // The view lives until the next call. kRejected: over kMaxRawBytes or kMaxRecords.
  Result<std::string_view> Encode(const BatchView& batch);

  // kCorrupt: not a body, damaged, or of a later version; the message says what and where.
  Result<Batch> Decode(std::string_view body);

  // Checksum and header only.
  static Result<BatchHeader> Inspect(std::string_view body);

  // What the contexts and buffers hold at present.
  size_t MemoryBytes() const;

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
  std::string raw_;
  std::string body_;
};

}  // namespace tidegate
