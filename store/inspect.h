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

// Reads all of it: SQLite's own check, then each batch's checksum, contents, place and count; where
// SQLite does not open it, what can be read without it. kUnavailable: it cannot be opened.
// kCorrupt: nothing in it is a store's. kInvalid: of a later version.
Result<VerifyReport> Verify(const std::string& path);

struct RecordFilter {
  std::optional<RecordClass> record_class;
  std::optional<uint64_t> last;  // Only the newest so many.
};

struct VisitCounts {
  uint64_t records = 0;
  uint64_t damaged_batches = 0;  // Passed over.
};

struct StoredRecord {
  const std::string& epoch;  // With `seq` and the gateway its id: of the store that had it first.
  Seq seq;
  const Record& record;
  const ClockStamp& stamp;
};
// False: enough.
using RecordVisitor = std::function<bool(const StoredRecord& stored)>;
using DeadLetterVisitor = std::function<bool(int64_t id, const DeadLetter& letter)>;

// In the order of seqs. Holds no read transaction between batches, so a slow visitor does not hold
// up the agent.
Result<VisitCounts> ForEachRecord(const std::string& path, const RecordFilter& filter,
                                  const RecordVisitor& visit);
Result<uint64_t> ForEachDeadLetter(const std::string& path, std::optional<uint64_t> last,
                                   const DeadLetterVisitor& visit);
// The same without SQLite, from a file that it refuses or that was set aside: what reads of it. The
// file is not locked, opened or changed in any other way.
Result<VisitCounts> ForEachRecordFound(const std::string& path, const RecordFilter& filter,
                                       const RecordVisitor& visit);
Result<uint64_t> ForEachDeadLetterFound(const std::string& path, const DeadLetterVisitor& visit);

Result<std::string> ReadEpoch(const std::string& path);

}  // namespace tidegate
