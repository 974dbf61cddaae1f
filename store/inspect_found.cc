#include "store/inspect_found.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "store/file/schema.h"
#include "store/format/batch_codec.h"
#include "store/salvage/store_scan.h"

namespace tidegate {
namespace {

Result<std::unique_ptr<StoreScan>> ScanOf(const std::string& path) {
  auto scan = StoreScan::Open(path, "");
  if (!scan.ok()) return scan;
  (*scan)->Run();
  if (!(*scan)->is_store()) {
    return Error{ErrorCode::kCorrupt, fmt::format("read {}: nothing in it is a store's", path)};
  }
  return scan;
}

std::string EpochOf(const StoreScan& scan) {
  const auto epoch = scan.state().find(kStateEpoch);
  return epoch == scan.state().end() ? "unknown" : epoch->second;
}

std::string LossFinding(const LostSeqs& lost) {
  const std::string name(RecordClassName(lost.record_class));
  if (lost.most != 0) {
    return fmt::format("{} records from seq {} to {}: at most {} are missing", name, lost.first,
                       lost.last, lost.most);
  }
  return fmt::format("{} records from seq {} on: an unknown number may be missing", name,
                     lost.first);
}

}  // namespace

bool VisitRecords(const Batch& batch, const std::string& epoch, Seq from,
                  const RecordVisitor& visit, VisitCounts& counts) {
  CHECK(!batch.records.empty(), "a batch has records");
  const Numbering numbering = batch.numbering.value_or(Numbering{epoch, batch.first_seq});
  for (size_t i = 0; i < batch.records.size(); ++i) {
    if (batch.first_seq + i < from) continue;
    ++counts.records;
    if (!visit({numbering.epoch, numbering.first_seq + i, batch.records[i], batch.stamp})) {
      return false;
    }
  }
  return true;
}

Result<VerifyReport> VerifyFound(const std::string& path, const std::string& why) {
  auto scan = ScanOf(path);
  if (!scan.ok()) return Error{scan.error().code, why};
  VerifyReport report;
  report.findings.push_back(why);
  for (const std::string& finding : (*scan)->findings()) report.findings.push_back(finding);
  for (const LostSeqs& lost : (*scan)->Lost(0)) report.findings.push_back(LossFinding(lost));
  report.findings.resize(std::min(report.findings.size(), VerifyReport::kMaxFindings));
  report.batches = (*scan)->batches().size();
  for (const FoundBatch& batch : (*scan)->batches()) report.records += batch.count;
  report.dead_letters = (*scan)->letters().size();
  return report;
}

void AddFound(const std::string& path, VerifyReport& report) {
  auto found = VerifyFound(path, "read without SQLite:");
  if (!found.ok() || found->batches <= report.batches) return;
  found->findings.insert(found->findings.begin(), report.findings.begin(), report.findings.end());
  report = *std::move(found);
  report.findings.resize(std::min(report.findings.size(), VerifyReport::kMaxFindings));
}

Result<VisitCounts> ForEachRecordFound(const std::string& path, const RecordFilter& filter,
                                       const RecordVisitor& visit) {
  auto scan = ScanOf(path);
  if (!scan.ok()) return scan.error();
  const std::string epoch = EpochOf(**scan);
  std::vector<FoundBatch> batches = (*scan)->batches();
  if (filter.record_class) {
    std::erase_if(batches, [&](const FoundBatch& batch) {
      return ClassOf(batch.key) != *filter.record_class;
    });
  }
  std::ranges::sort(batches, {}, [](const FoundBatch& batch) { return SeqOf(batch.key); });
  VisitCounts counts;
  BatchCodec codec;
  uint64_t left = 0;
  for (const FoundBatch& batch : batches) left += batch.count;
  for (const FoundBatch& found : batches) {
    // Skips what comes before the newest so many.
    const uint64_t over = filter.last && left > *filter.last ? left - *filter.last : 0;
    CHECK(left >= found.count, "the sum covers each of its batches");
    left -= found.count;
    if (over >= found.count) continue;
    const auto row = (*scan)->Load(found);
    const auto batch =
        row ? codec.Decode(row->body) : Error{ErrorCode::kCorrupt, "it does not read again"};
    if (!batch.ok()) {
      ++counts.damaged_batches;
    } else if (!VisitRecords(*batch, epoch, batch->first_seq + over, visit, counts)) {
      return counts;
    }
  }
  return counts;
}

Result<uint64_t> ForEachDeadLetterFound(const std::string& path, const DeadLetterVisitor& visit) {
  auto scan = ScanOf(path);
  if (!scan.ok()) return scan.error();
  uint64_t letters = 0;
  for (const auto& [id, place] : (*scan)->letters()) {
    const auto letter = (*scan)->Letter(place);
    if (!letter) continue;
    ++letters;
    if (!visit(id, *letter)) break;
  }
  return letters;
}

}  // namespace tidegate
