// Whether a log that a crash left belongs to the database beside it. SQLite takes any log that is
// sound for good, and would mix the pages of two stores. Private to store/; one thread.
#pragma once

#include <string>

#include "store/salvage/byte_source.h"

namespace tidegate {

enum class LogOwner {
  kOurs,      // Or there is none, or nothing in it says whose it is.
  kNobody,    // The database is empty or gone: SQLite would delete the log.
  kStranger,  // Another store's.
};

LogOwner OwnerOfLog(const std::string& path, const std::string& vfs);
// For tests.
LogOwner OwnerOfLog(ByteSource& database, ByteSource& log);

}  // namespace tidegate
