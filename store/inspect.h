// Reads a store from outside, for people and tools, also while an agent runs on it and also if it
// is damaged. Nothing here changes the store. Any thread. REQUIRES: no store of the same file is
// open in this process.
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

// Reads the whole store: SQLite's own check, then each batch's checksum, contents, place and count;
// where SQLite refuses the file, what can be read without it. kUnavailable: it cannot be opened.
// kCorrupt: nothing in it is a store's. kInvalid: a later version wrote it.
Result<VerifyReport> Verify(const std::string& path);

struct RecordFilter {
  // nullopt: every class.
  std::optional<RecordClass> record_class;
  // Visits only the newest so many records; nullopt: all.
  std::optional<uint64_t> last;
};

struct VisitCounts {
  uint64_t records = 0;
  // Batches that were skipped because they are damaged.
  uint64_t damaged_batches = 0;
};

// One record during a visit; the references live during the call.
struct StoredRecord {
  // Epoch and seq in the store that numbered the record first: with the gateway they are its id.
  const std::string& epoch;
  Seq seq;
  const Record& record;
  const ClockStamp& stamp;
};
// Returns false to end the visit.
using RecordVisitor = std::function<bool(const StoredRecord& stored)>;
using DeadLetterVisitor = std::function<bool(int64_t id, const DeadLetter& letter)>;

// Visits records in the order of their seqs. Holds no read transaction between batches, so a slow
// visitor does not hold up the agent. Errors as Verify.
Result<VisitCounts> ForEachRecord(const std::string& path, const RecordFilter& filter,
                                  const RecordVisitor& visit);
// Visits dead letters, the newest `last` or all, oldest first. Returns how many were visited.
Result<uint64_t> ForEachDeadLetter(const std::string& path, std::optional<uint64_t> last,
                                   const DeadLetterVisitor& visit);
// The same without SQLite, for a file that SQLite refuses or that was set aside: visits what can be
// read of it. Does not lock the file.
Result<VisitCounts> ForEachRecordFound(const std::string& path, const RecordFilter& filter,
                                       const RecordVisitor& visit);
Result<uint64_t> ForEachDeadLetterFound(const std::string& path, const DeadLetterVisitor& visit);

Result<std::string> ReadEpoch(const std::string& path);

}  // namespace tidegate
