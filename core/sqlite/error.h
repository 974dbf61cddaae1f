// SQLite's result codes as our errors. No raw code leaves core/sqlite. Thread: the connection's.
#pragma once

#include <string_view>

#include "core/result.h"

struct sqlite3;

namespace tidegate::sqlite {

// Returns the error of the connection's last failed call, by its extended code:
// "<operation>: disk I/O error (SQLITE_IOERR_WRITE)", without "<operation>: " if that is empty.
// SQLITE_FULL is kFull, SQLITE_CORRUPT and SQLITE_NOTADB are kCorrupt, SQLITE_TOOBIG is kRejected
// (this value will never fit), every other code is kUnavailable.
// REQUIRES: the connection's last call failed.
Error LastError(sqlite3* db, std::string_view operation);

// Returns the same for a code that the connection does not remember, as of a refused bind.
Error CodeError(int code, std::string_view operation);

// Returns the error with `code` in place of the kRejected of SQLITE_TOOBIG (OpenOptions::too_big).
Error WithTooBigAs(ErrorCode code, Error error);

}  // namespace tidegate::sqlite
