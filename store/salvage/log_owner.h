// Finds out if a log that a crash left belongs to the database beside it. SQLite applies any sound
// log, and would mix the pages of two stores. Reads hostile bytes. Private to store/; one thread.
#pragma once

#include <string>

#include "store/salvage/byte_source.h"

namespace tidegate {

enum class LogOwner {
  // The log is the database's; or there is none, or nothing in it names its store.
  kOurs,
  // The database is empty or missing, so SQLite would delete the log.
  kNobody,
  // The log is another store's.
  kStranger,
};

LogOwner OwnerOfLog(const std::string& path, const std::string& vfs);
// The same from bytes, for tests.
LogOwner OwnerOfLog(ByteSource& database, ByteSource& log);

}  // namespace tidegate
