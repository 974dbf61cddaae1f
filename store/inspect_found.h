// The part of inspect.h that needs no SQLite. Private to store/.
#pragma once

#include <string>

#include "core/result.h"
#include "store/inspect.h"

namespace tidegate {

// Reports what can be read of a file that SQLite refuses with `why`.
Result<VerifyReport> VerifyFound(const std::string& path, const std::string& why);

// Replaces the report by that of a scan, with the report's findings first, if the scan finds more
// batches than SQLite could read.
void AddFound(const std::string& path, VerifyReport& report);

// Calls `visit` for the records of the batch from seq `from` on and counts them. `epoch` is that of
// the store. Returns false if the visitor ended the visit. REQUIRES: the batch has records.
bool VisitRecords(const Batch& batch, const std::string& epoch, Seq from,
                  const RecordVisitor& visit, VisitCounts& counts);

}  // namespace tidegate
