// SQLite's write-ahead log read without SQLite: which pages of it count. The format, and what makes
// a frame count: https://www.sqlite.org/fileformat2.html#the_write_ahead_log. Reads hostile bytes.
// Private to store/; pure but for the reads.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/salvage/byte_source.h"

namespace tidegate {

struct LogScan {
  // Where in the log the newest committed content of a page lies.
  std::unordered_map<uint64_t, uint64_t> pages;
  uint64_t database_pages = 0;  // Of the database after the last commit; 0: there is no commit.
  uint64_t frames = 0;          // Up to and with the last commit.
  // Frames behind the last commit that the same run of the log has written, as far as their heads
  // tell. Either a commit that a power cut tore, or damage.
  std::vector<uint64_t> tail;  // Where their pages lie.
  uint64_t tail_commits = 0;
  std::string problem;  // Why it is not read at all, for people; empty if it is, or has no bytes.
};

LogScan ScanLog(ByteSource& log);

}  // namespace tidegate
