#include "store/salvage/store_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "store/file/schema.h"
#include "store/format/batch_codec.h"
#include "store/format/big_endian.h"
#include "store/format/store_totals.h"

namespace tidegate {
namespace {

constexpr std::string_view kBatchTable = "CREATE TABLE batch(key INTEGER PRIMARY KEY, count";
constexpr uint64_t kApplicationIdOffset = 68;
constexpr size_t kLetterColumns = 6;  // Of version 2; later ones have more.
constexpr size_t kTotalsColumn = 4;   // Of a batch, since format version 2.
constexpr Seq kLastSeq = SeqOf(-1);
constexpr int64_t kMaxCount = static_cast<int64_t>(BatchCodec::kMaxRecords);

// Returns the column that holds the body, by the body's own checksum; null if there is none.
const Column* BodyOf(const std::vector<Column>& columns, std::optional<BatchHeader>& header) {
  for (const Column& column : columns) {
    if (column.type != Column::Type::kBlob) continue;
    const auto inspected = BatchCodec::Inspect(column.bytes);
    if (!inspected.ok()) continue;
    header = *inspected;
    return &column;
  }
  return nullptr;
}

// Returns the count in a row of table batch; 0 if it is no such row.
uint64_t CountOf(const std::vector<Column>& columns) {
  using enum Column::Type;
  const bool is_batch = columns.size() >= 4 && columns[0].type == kNull &&
                        columns[1].type == kInteger && columns[2].type == kInteger &&
                        columns[1].integer > 0 && columns[1].integer <= kMaxCount;
  return is_batch ? static_cast<uint64_t>(columns[1].integer) : 0;
}

bool IsBatchKey(uint64_t rowid) {
  return rowid >> 56 < kRecordClassCount && SeqOf(static_cast<BatchKey>(rowid)) != 0;
}

// Seqs that are accounted for: intervals sorted by their first seq, without overlaps.
class SeqCover {
 public:
  explicit SeqCover(const std::vector<FoundBatch>& batches) {
    for (const FoundBatch& batch : batches) {
      intervals_.emplace_back(SeqOf(batch.key), SeqOf(batch.key) + batch.count - 1);
    }
    std::ranges::sort(intervals_);
  }
  // Covers the seqs from `first` to `last`. REQUIRES: neither of the two is covered.
  void Fill(Seq first, Seq last) {
    const auto begin = std::ranges::lower_bound(intervals_, std::pair(first, Seq{0}));
    const auto end = std::ranges::lower_bound(intervals_, std::pair(last, Seq{0}));
    intervals_.insert(intervals_.erase(begin, end), std::pair(first, last));
  }
  Seq lowest() const { return intervals_.empty() ? 1 : intervals_.front().first; }
  Seq highest() const { return intervals_.empty() ? 0 : intervals_.back().second; }
  // Returns the first covered seq > `seq`; nullopt if there is none.
  std::optional<Seq> NextAfter(Seq seq) const {
    const auto next = std::ranges::upper_bound(intervals_, std::pair(seq, UINT64_MAX));
    return next == intervals_.end() ? std::nullopt : std::optional(next->first);
  }
  // Counts the seqs from `first` to `last` that are not covered, and narrows the two to the
  // outermost of those. REQUIRES: first <= last.
  uint64_t Holes(Seq& first, Seq& last) const {
    uint64_t holes = 0;
    CHECK(first <= last, "holes are looked for in an interval");
    Seq seq = first, low = 0, high = 0;
    const auto hole = [&](Seq from, Seq to) {
      if (from > to) return;
      if (holes == 0) low = from;
      high = to;
      holes += to - from + 1;
    };
    auto next = std::ranges::upper_bound(intervals_, std::pair(first, UINT64_MAX));
    if (next != intervals_.begin()) --next;
    for (; next != intervals_.end() && next->first <= last; ++next) {
      if (next->second < seq) continue;
      if (next->first > seq) hole(seq, next->first - 1);
      seq = next->second + 1;
    }
    hole(seq, last);
    CHECK(holes == 0 || (first <= low && low <= high && high <= last),
          "what is missing lies in the interval");
    first = low;
    last = high;
    return holes;
  }

 private:
  std::vector<std::pair<Seq, Seq>> intervals_;
};

// Collects what is missing between the batches that are there.
class LossList {
 public:
  LossList(const SeqCover& stored, const std::array<Seq, kRecordClassCount>& delivered,
           Seq next_seq)
      : stored_(stored), told_(stored), delivered_(delivered), next_seq_(next_seq) {}

  // Adds the seqs that are neither stored nor added already.
  void Add(RecordClass record_class, Seq first, Seq last) {
    const uint64_t most = first <= last ? told_.Holes(first, last) : 0;
    if (most == 0) return;
    lost_.push_back({record_class, first, last, most});
    told_.Fill(first, last);
  }

  // Adds batches with keys after `after`, up to `until`.
  void AddKeys(BatchKey after, BatchKey until) {
    for (const RecordClass record_class : kRecordClasses) {
      const BatchKey begin = MakeBatchKey(record_class, 0);
      const BatchKey end = EndOfClass(record_class) - 1;
      after = std::max(after, begin);
      const BatchKey last = std::min(until, end);
      if (after < last) AddOf(record_class, SeqOf(after), last == end ? kLastSeq : SeqOf(last));
    }
  }

  std::vector<LostSeqs> Take() { return std::move(lost_); }

 private:
  void AddOf(RecordClass record_class, Seq after, Seq until) {
    const Seq mark = delivered_[static_cast<size_t>(record_class)];
    // The last batch reaches beyond its key, up to the next one that is there.
    const Seq behind = std::max(stored_.highest() + 1, next_seq_);
    const auto next = stored_.NextAfter(until);
    Add(record_class, std::max({after + 1, stored_.lowest(), mark + 1}), next.value_or(behind) - 1);
    // Of those before the first that is there most were delivered long ago, and what was the newest
    // of all shows in no number.
    if (after == 0 && stored_.lowest() > mark + 1) {
      lost_.push_back({record_class, mark + 1, stored_.lowest() - 1, 0});
    }
    if (!next && next_seq_ == 0 && behind <= kLastSeq)
      lost_.push_back({record_class, behind, kLastSeq, 0});
  }

  const SeqCover& stored_;
  SeqCover told_;  // With what is lost.
  const std::array<Seq, kRecordClassCount>& delivered_;
  Seq next_seq_;
  std::vector<LostSeqs> lost_;
};

std::unique_ptr<ByteSource> OpenLog(const std::string& path, const std::string& vfs) {
  auto log = FileBytes::Open(path + "-wal", vfs, true);
  return log.ok() ? *std::move(log) : std::unique_ptr<ByteSource>();
}

}  // namespace

Result<std::unique_ptr<StoreScan>> StoreScan::Open(const std::string& path, const std::string& vfs,
                                                   bool with_log) {
  auto log = with_log ? OpenLog(path, vfs) : nullptr;
  auto file = FileBytes::Open(path, vfs, false);
  if (!file.ok() && log == nullptr) return file.error();
  std::unique_ptr<ByteSource> database;
  if (file.ok()) {
    database = *std::move(file);
  } else {
    database = std::make_unique<MemoryBytes>("");
  }
  auto scan = std::make_unique<StoreScan>(*database, log.get());
  scan->database_file_ = std::move(database);
  scan->log_file_ = std::move(log);
  return scan;
}

StoreScan::StoreScan(ByteSource& database, ByteSource* log)
    : log_(log != nullptr ? ScanLog(*log) : LogScan()),
      image_(database, log, log_),
      pages_(image_) {
  std::array<char, 4> application;
  is_store_ = database.Read(kApplicationIdOffset, application) &&
              Big32(application.data()) == static_cast<uint32_t>(kApplicationId);
}

void StoreScan::Run() {
  CHECK(batches_.empty() && letters_.empty(), "a scan runs once");
  while (Step()) {
  }
}

bool StoreScan::Step() {
  if (is_finished_) return false;
  if (pages_.Step([this](const FoundRow& row) { Take(row); })) return true;
  Finish();
  return false;
}

void StoreScan::Finish() {
  is_finished_ = true;
  if (!log_.problem.empty()) Find("log: " + log_.problem);
  for (const std::string& finding : pages_.findings()) Find(finding);
  Sort();
}

double StoreScan::progress() const {
  if (is_finished_) return 1;
  const auto pages = static_cast<double>(std::max<uint64_t>(image_.pages(), 1));
  return std::min(static_cast<double>(image_.pages_read()) / pages, 0.99);
}

void StoreScan::Find(std::string finding) {
  if (findings_.size() < PageScan::kMaxFindings) findings_.push_back(std::move(finding));
}

void StoreScan::Take(const FoundRow& row) {
  const auto columns = row.payload ? ParseRecord(*row.payload) : std::nullopt;
  if (row.table == StoreTable::kSchema) {
    CHECK(!columns || columns->size() == 5, "only whole rows of the schema are visited");
    // Others have tables of that name, too.
    if (columns && (*columns)[4].bytes.starts_with(kBatchTable)) is_store_ = true;
    return;
  }
  const bool stray = row.table == StoreTable::kOther;
  if (columns && (row.table == StoreTable::kBatch || stray) && TakeBatch(row, *columns)) return;
  if (row.table == StoreTable::kBatch) return TakeUnreadable(row);
  if (!columns) return;
  const auto may_be = [&](StoreTable table) {
    return row.table == table || (stray && pages_.broken(table));
  };
  if (columns->size() >= kLetterColumns && may_be(StoreTable::kDeadLetter) &&
      (*columns)[5].type == Column::Type::kBlob) {
    letters_.emplace_back(static_cast<int64_t>(row.rowid), row.place);
  } else if (columns->size() == 2 && may_be(StoreTable::kState) &&
             (*columns)[0].type == Column::Type::kText && !(*columns)[0].bytes.empty()) {
    if ((*columns)[0].bytes == kStateTotals) LearnTotals((*columns)[1].bytes);
    // What a tree leads to comes first.
    state_.emplace((*columns)[0].bytes, (*columns)[1].bytes);
  }
}

bool StoreScan::TakeBatch(const FoundRow& row, const std::vector<Column>& columns) {
  std::optional<BatchHeader> header;
  if (BodyOf(columns, header) == nullptr) return false;
  is_store_ = true;
  if (columns.size() > kTotalsColumn) LearnTotals(columns[kTotalsColumn].bytes);
  const bool stray = row.table == StoreTable::kOther;
  if (stray && !pages_.broken(StoreTable::kBatch) && !pages_.broken(StoreTable::kSchema))
    return true;
  batches_.push_back(
      {MakeBatchKey(header->record_class, header->first_seq), header->count, row.place, !stray});
  return true;
}

void StoreScan::LearnTotals(std::string_view bytes) {
  const auto totals = DecodeTotals(bytes);
  if (!totals.ok()) return;
  for (size_t i = 0; i < delivered_.size(); ++i) {
    delivered_[i] = std::max(delivered_[i], totals->delivered[i]);
  }
}

// Keeps what the head of a row of table batch says whose body is damaged.
void StoreScan::TakeUnreadable(const FoundRow& row) {
  const auto key = static_cast<BatchKey>(row.rowid);
  Find(fmt::format("page {} (table batch): row {} has no batch that reads", row.place.page,
                   row.place.cell));
  if (!IsBatchKey(row.rowid)) return;
  const auto columns = row.payload ? ParseRecord(*row.payload) : std::nullopt;
  unreadable_.emplace_back(key, columns ? CountOf(*columns) : 0);
}

// Keeps one batch of each key, and none that shares seqs with a surer one.
void StoreScan::Sort() {
  std::ranges::stable_sort(batches_, [](const FoundBatch& a, const FoundBatch& b) {
    return std::pair(!a.sure, SeqOf(a.key)) < std::pair(!b.sure, SeqOf(b.key));
  });
  const auto all_sure = std::ranges::find_if_not(batches_, &FoundBatch::sure);
  const auto found_sure = static_cast<size_t>(all_sure - batches_.begin());
  // What is kept moves to the front.
  size_t kept = 0;
  Seq kept_end = 0;
  const auto keep = [&](FoundBatch batch) {
    const Seq first = SeqOf(batch.key);
    CHECK(first != 0 && batch.count > 0, "a batch that was found has a seq and records");
    if (first < kept_end) return;
    kept_end = first + batch.count;
    batches_[kept++] = batch;
  };
  for (size_t i = 0; i < found_sure; ++i) keep(batches_[i]);
  const size_t sure = kept;
  kept_end = 0;
  size_t next = 0;  // The first sure batch that does not end before the unsure one.
  for (size_t i = found_sure; i < batches_.size(); ++i) {
    const Seq first = SeqOf(batches_[i].key);
    while (next < sure && SeqOf(batches_[next].key) + batches_[next].count <= first) ++next;
    if (next == sure || SeqOf(batches_[next].key) >= first + batches_[i].count) keep(batches_[i]);
  }
  batches_.resize(kept);
  std::ranges::sort(batches_, {}, &FoundBatch::key);
  std::ranges::sort(letters_, {}, [](const auto& letter) { return letter.first; });
  const auto same = std::unique(letters_.begin(), letters_.end(),
                                [](const auto& a, const auto& b) { return a.first == b.first; });
  letters_.erase(same, letters_.end());
}

std::vector<LostSeqs> StoreScan::Lost(Seq next_seq) const {
  const SeqCover stored(batches_);
  LossList losses(stored, delivered_, next_seq);
  for (const auto& [key, count] : unreadable_) {
    if (count != 0) losses.Add(ClassOf(key), SeqOf(key), SeqOf(key) + count - 1);
    if (count == 0) losses.AddKeys(key - 1, key);
  }
  for (const LostRows& rows : pages_.lost()) {
    if (rows.table == StoreTable::kBatch) losses.AddKeys(rows.after, rows.until);
  }
  return losses.Take();
}

std::optional<std::string> StoreScan::Payload(RowPlace place) {
  Page page;
  if (!image_.Read(place.page, page) || place.cell >= page.cells) return std::nullopt;
  auto cell = image_.ReadCell(page, place.cell);
  return cell ? std::move(cell->payload) : std::nullopt;
}

std::optional<StoreScan::Row> StoreScan::Load(const FoundBatch& batch) {
  const auto payload = Payload(batch.place);
  const auto columns = payload ? ParseRecord(*payload) : std::nullopt;
  std::optional<BatchHeader> header;
  const Column* const body = columns ? BodyOf(*columns, header) : nullptr;
  if (body == nullptr || MakeBatchKey(header->record_class, header->first_seq) != batch.key) {
    return std::nullopt;
  }
  return Row{std::string(body->bytes), CountOf(*columns) != 0 ? (*columns)[2].integer : 0};
}

std::optional<DeadLetter> StoreScan::Letter(RowPlace place) {
  const auto payload = Payload(place);
  const auto columns = payload ? ParseRecord(*payload) : std::nullopt;
  if (!columns || columns->size() < kLetterColumns) return std::nullopt;
  const auto text = [&](size_t i) { return std::string((*columns)[i].bytes); };
  const int64_t whole = columns->size() > kLetterColumns ? (*columns)[kLetterColumns].integer : 0;
  return DeadLetter{text(2),
                    text(3),
                    text(4),
                    text(5),
                    WallTime(std::chrono::milliseconds((*columns)[1].integer)),
                    static_cast<uint64_t>(std::max<int64_t>(whole, 0))};
}

}  // namespace tidegate
