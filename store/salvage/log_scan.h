// Reads SQLite's write-ahead log without SQLite and finds the pages that are committed. Format, and
// what makes a frame count: https://www.sqlite.org/fileformat2.html#the_write_ahead_log. Reads
// hostile bytes. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/salvage/byte_source.h"

namespace tidegate {

struct LogScan {
  // For each committed page, the offset of its newest content in the log.
  std::unordered_map<uint64_t, uint64_t> pages;
  // Pages of the database after the last commit; 0 if there is no commit.
  uint64_t database_pages = 0;
  // Frames up to the last commit, that one included.
  uint64_t frames = 0;
  // Offsets of pages after the last commit that the same run of the log has written, by their
  // frames' heads. They are a commit that a power cut tore, or damage.
  std::vector<uint64_t> tail;
  uint64_t tail_commits = 0;
  // For people: why the log cannot be read at all; empty if it can, or has no bytes.
  std::string problem;
};

LogScan ScanLog(ByteSource& log);

}  // namespace tidegate
