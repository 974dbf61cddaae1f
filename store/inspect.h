// A store read from outside, for people and tools: while an agent runs on it or not, also a damaged
// one. Nothing here changes the store. Any thread, with no store of the same file open in this
// process.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/record.h"
#include "core/result.h"
#include "store/store.h"

namespace tidegate {

struct VerifyReport {
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t dead_letters = 0;
  // What is wrong, for people, one line each; at most kMaxFindings.
  static constexpr size_t kMaxFindings = 100;
  std::vector<std::string> findings;

  bool ok() const { return findings.empty(); }
};

// Reads all of it: SQLite's own check, then each batch's checksum, contents, place and count.
// kUnavailable: it cannot be opened. kCorrupt, kInvalid: it is not a store, or of a later version.
Result<VerifyReport> Verify(const std::string& path);

struct RecordFilter {
  std::optional<RecordClass> record_class;
  std::optional<uint64_t> last;  // Only the newest so many.
};

struct VisitCounts {
  uint64_t records = 0;
  uint64_t damaged_batches = 0;  // Passed over.
};

// False: enough.
using RecordVisitor = std::function<bool(Seq seq, const Record& record, const ClockStamp& stamp)>;
using DeadLetterVisitor = std::function<bool(int64_t id, const DeadLetter& letter)>;

// In the order of seqs. Holds no read transaction between batches, so a slow visitor does not hold
// up the agent.
Result<VisitCounts> ForEachRecord(const std::string& path, const RecordFilter& filter,
                                  const RecordVisitor& visit);
Result<uint64_t> ForEachDeadLetter(const std::string& path, std::optional<uint64_t> last,
                                   const DeadLetterVisitor& visit);
// Names the records' ids together with the gateway and the seq.
Result<std::string> ReadEpoch(const std::string& path);

}  // namespace tidegate
