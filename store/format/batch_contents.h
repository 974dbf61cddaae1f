// Encodes what a batch body holds once it is decompressed: stamp, numbering, records, arrivals.
// store/README.md, "Batch body", has the layout. Private to store/; pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "store/store.h"

namespace tidegate {

// A batch to encode; everything stays the caller's.
struct BatchView {
  RecordClass record_class;
  Seq first_seq;
  const ClockStamp& stamp;
  // REQUIRES: not empty, all of record_class.
  std::span<const Record> records;
  // One for each record, or empty. REQUIRES: each names one of `inputs`.
  std::span<const Arrival> arrivals{};
  std::span<const std::string> inputs{};
  // Null: the batch has no numbering.
  const Numbering* numbering = nullptr;

  static BatchView Of(const Batch& batch) {
    return {batch.record_class,
            batch.first_seq,
            batch.stamp,
            batch.records,
            batch.arrivals,
            batch.inputs,
            batch.numbering ? &*batch.numbering : nullptr};
  }
};

// Returns the kCorrupt error of a body that does not read, with the offset in the message.
Error CorruptBody(std::string_view what, size_t offset);

// Appends the contents in the newest version.
void PutContents(std::string& out, const BatchView& batch);

// Fills all of `batch` but its class and first seq, which the caller has set. kCorrupt: `raw` is
// not the contents of `count` records in that version. REQUIRES: count > 0, and `batch` is empty.
Status GetContents(std::string_view raw, uint8_t version, uint64_t count, Batch& batch);

}  // namespace tidegate
