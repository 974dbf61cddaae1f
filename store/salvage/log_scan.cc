#include "store/salvage/log_scan.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/check.h"
#include "store/file/size_budget.h"
#include "store/format/big_endian.h"

namespace tidegate {
namespace {

constexpr size_t kLogHeaderBytes = 32;
constexpr size_t kFrameHeaderBytes = kFrameBytes - kPageBytes;
constexpr uint32_t kLogMagic = 0x377f0682;  // The last bit: sums are over big-endian words.
constexpr uint32_t kLogVersion = 3007000;

class LogSum {
 public:
  explicit LogSum(bool big_endian) : big_endian_(big_endian) {}

  void Add(std::span<const char> bytes) {
    CHECK(bytes.size() % 8 == 0, "a sum is over pairs of words");
    for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      first_ += Word(&bytes[at]) + second_;
      second_ += Word(&bytes[at + 4]) + first_;
    }
  }
  bool Equals(const char* stored) const {
    return first_ == Big32(stored) && second_ == Big32(stored + 4);
  }

 private:
  uint32_t Word(const char* at) const {
    return big_endian_ ? Big32(at) : __builtin_bswap32(Big32(at));
  }

  bool big_endian_;
  uint32_t first_ = 0;
  uint32_t second_ = 0;
};

// Reads many frames at once. Where the medium does not return them all it reads one at a time.
class FrameReader {
 public:
  explicit FrameReader(ByteSource& log) : log_(log) {}

  bool Read(uint64_t offset, std::span<char> frame) {
    if (offset < begin_ || offset + frame.size() > begin_ + chunk_.size()) Fill(offset);
    if (chunk_.size() < frame.size()) return log_.Read(offset, frame);
    std::copy_n(chunk_.begin() + static_cast<std::ptrdiff_t>(offset - begin_), frame.size(),
                frame.begin());
    return true;
  }

 private:
  void Fill(uint64_t offset) {
    CHECK(offset < log_.size(), "a frame begins within the log");
    begin_ = offset;
    chunk_.resize(std::min<uint64_t>(kFramesAtOnce * kFrameBytes, log_.size() - offset));
    if (!log_.Read(offset, chunk_)) chunk_.clear();
  }

  static constexpr uint64_t kFramesAtOnce = 128;
  ByteSource& log_;
  uint64_t begin_ = 0;
  std::vector<char> chunk_;
};

std::string CheckLogHeader(std::span<const char> header) {
  if ((Big32(&header[0]) & ~1u) != kLogMagic) return "no write-ahead log";
  if (Big32(&header[4]) != kLogVersion) return "a log of an unknown version";
  if (Big32(&header[8]) != kPageBytes) return "a log of another page size";
  LogSum sum((Big32(&header[0]) & 1) != 0);
  sum.Add(header.first(24));
  return sum.Equals(&header[24]) ? "" : "the log's head is damaged";
}

}  // namespace

LogScan ScanLog(ByteSource& log) {
  LogScan scan;
  std::array<char, kLogHeaderBytes> header;
  if (log.size() == 0) return scan;
  if (!log.Read(0, header)) {
    scan.problem = "the log's head does not read";
    return scan;
  }
  // An agent that has stopped leaves a log whose head is zeros.
  if (std::ranges::all_of(header, [](char byte) { return byte == 0; })) return scan;
  scan.problem = CheckLogHeader(header);
  if (!scan.problem.empty()) return scan;
  LogSum sum((Big32(&header[0]) & 1) != 0);
  sum.Add(std::span(header).first(24));
  std::unordered_map<uint64_t, uint64_t> open;  // Of the transaction that has not ended yet.
  bool chained = true;                          // Every frame so far has the right sum.
  std::array<char, kFrameBytes> frame;
  FrameReader reader(log);
  for (uint64_t at = kLogHeaderBytes; at + kFrameBytes <= log.size(); at += kFrameBytes) {
    const bool reads = reader.Read(at, frame);
    const bool same_run = reads && std::equal(&frame[8], &frame[16], &header[16]);
    if (chained) {
      sum.Add(std::span(frame).first(8));
      sum.Add(std::span(frame).subspan(kFrameHeaderBytes));
      chained = same_run && Big32(&frame[0]) != 0 && sum.Equals(&frame[16]);
    }
    const uint64_t content = at + kFrameHeaderBytes;
    const uint32_t commit_pages = Big32(&frame[4]);
    if (!chained) {
      // Frames of an older run have another salt.
      if (same_run) scan.tail.push_back(content);
      if (same_run && commit_pages != 0) ++scan.tail_commits;
      continue;
    }
    CHECK(content + kPageBytes <= log.size(), "a logged page lies within the log");
    open[Big32(&frame[0])] = content;
    scan.tail.push_back(content);
    if (commit_pages == 0) continue;
    for (const auto& [page, offset] : open) scan.pages[page] = offset;
    open.clear();
    scan.tail.clear();
    scan.database_pages = commit_pages;
    scan.frames = (at - kLogHeaderBytes) / kFrameBytes + 1;
  }
  CHECK(scan.pages.size() <= scan.frames, "every committed page has its frame");
  return scan;
}

}  // namespace tidegate
