#include "core/sqlite/error.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <string>

namespace tidegate::sqlite {

namespace {
// The names that matter in a log; other codes show as numbers.
std::string_view CodeName(int code) {
  switch (code) {
    case SQLITE_ERROR:
      return "SQLITE_ERROR";
    case SQLITE_BUSY:
      return "SQLITE_BUSY";
    case SQLITE_LOCKED:
      return "SQLITE_LOCKED";
    case SQLITE_NOMEM:
      return "SQLITE_NOMEM";
    case SQLITE_READONLY:
      return "SQLITE_READONLY";
    case SQLITE_INTERRUPT:
      return "SQLITE_INTERRUPT";
    case SQLITE_CORRUPT:
      return "SQLITE_CORRUPT";
    case SQLITE_FULL:
      return "SQLITE_FULL";
    case SQLITE_CANTOPEN:
      return "SQLITE_CANTOPEN";
    case SQLITE_TOOBIG:
      return "SQLITE_TOOBIG";
    case SQLITE_NOTADB:
      return "SQLITE_NOTADB";
    case SQLITE_IOERR:
      return "SQLITE_IOERR";
    case SQLITE_IOERR_READ:
      return "SQLITE_IOERR_READ";
    case SQLITE_IOERR_SHORT_READ:
      return "SQLITE_IOERR_SHORT_READ";
    case SQLITE_IOERR_WRITE:
      return "SQLITE_IOERR_WRITE";
    case SQLITE_IOERR_FSYNC:
      return "SQLITE_IOERR_FSYNC";
    case SQLITE_IOERR_TRUNCATE:
      return "SQLITE_IOERR_TRUNCATE";
    case SQLITE_IOERR_SHMMAP:
      return "SQLITE_IOERR_SHMMAP";
    default:
      return "";
  }
}

ErrorCode KindOf(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::kFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_TOOBIG:
      return ErrorCode::kRejected;
    default:
      return ErrorCode::kUnavailable;
  }
}

Error MakeError(int code, const char* cause, std::string_view operation) {
  const std::string_view name = CodeName(code);
  const std::string shown = name.empty() ? fmt::format("code {}", code) : std::string(name);
  return {KindOf(code),
          fmt::format("{}{}{} ({})", operation, operation.empty() ? "" : ": ", cause, shown)};
}
}  // namespace

Error LastError(sqlite3* db, std::string_view operation) {
  return MakeError(sqlite3_extended_errcode(db), sqlite3_errmsg(db), operation);
}

Error CodeError(int code, std::string_view operation) {
  return MakeError(code, sqlite3_errstr(code), operation);
}

Error WithTooBigAs(ErrorCode code, Error error) {
  if (error.code == ErrorCode::kRejected) error.code = code;
  return error;
}

}  // namespace tidegate::sqlite
