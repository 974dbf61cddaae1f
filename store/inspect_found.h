// The part of inspect.h that needs no SQLite. Private to store/.
#pragma once

#include <string>

#include "core/result.h"
#include "store/inspect.h"

namespace tidegate {

// What can be read of a file that SQLite refuses with `why`.
Result<VerifyReport> VerifyFound(const std::string& path, const std::string& why);

// SQLite reads a part of the file: counts and names what can be read without it.
void AddFound(const std::string& path, VerifyReport& report);

// Calls `visit` for the records of the batch from seq `from` on. False: enough. `epoch` is that of
// the store.
bool VisitRecords(const Batch& batch, const std::string& epoch, Seq from,
                  const RecordVisitor& visit, VisitCounts& counts);

}  // namespace tidegate
