// What a batch body holds once it is decompressed: stamp, records, arrivals. The layout is in
// store/README.md, "Batch body". Private to store/; pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "store/store.h"

namespace tidegate {

// A batch as it goes in; everything stays the caller's.
struct BatchView {
  RecordClass record_class;
  Seq first_seq;
  const ClockStamp& stamp;
  std::span<const Record> records;      // REQUIRES: not empty, all of record_class.
  std::span<const Arrival> arrivals{};  // One for each record, each naming an input; or none.
  std::span<const std::string> inputs{};
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

// kCorrupt, with the place.
Error CorruptBody(std::string_view what, size_t offset);

// As the newest version has it.
void PutContents(std::string& out, const BatchView& batch);

// Fills all of `batch` but its class and first seq, which are read by now. kCorrupt: not the
// contents of `count` records in that version.
Status GetContents(std::string_view raw, uint8_t version, uint64_t count, Batch& batch);

}  // namespace tidegate
