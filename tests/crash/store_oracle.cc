#include "tests/crash/store_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

constexpr size_t kMaxProblems = 20;
constexpr std::string_view kDamageRule = "store-damaged";
constexpr std::string_view kDamaged = "damaged";

// A member of the flat JSON of a gap record, without its quotes.
std::string_view Member(std::string_view value, const std::string& name) {
  const std::string begin = "\"" + name + "\":";
  const size_t at = value.find(begin);
  if (at == std::string_view::npos) return {};
  value.remove_prefix(at + begin.size());
  value = value.substr(0, value.find_first_of(",}"));
  if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
  return value;
}

uint64_t NumberIn(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool IsFolded(RecordClass record_class) {
  return record_class == RecordClass::kHeartbeat || record_class == RecordClass::kReading;
}

// What the store writes by itself: gap records, and the alerts of a salvage.
bool IsGapRecord(const Record& record) {
  return record.record_class == RecordClass::kGap && record.value.starts_with('{');
}
bool IsDamageAlert(const Record& record) {
  return record.record_class == RecordClass::kAlert && Member(record.value, "rule") == kDamageRule;
}
bool IsOwnRecord(const Record& record) {
  return IsGapRecord(record) || IsDamageAlert(record);
}

std::string IdOf(const std::string& epoch, Seq seq) {
  return fmt::format("{}:{}", epoch, seq);
}

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  faults += other.faults;
  acknowledged += other.acknowledged;
  lost += other.lost;
  doubled += other.doubled;
  gaps += other.gaps;
  return *this;
}

uint64_t StoreOracle::NumberOf(std::string_view value) {
  return NumberIn(value);
}

void StoreOracle::Report(std::string problem) {
  if (problems_.size() < kMaxProblems) problems_.push_back(std::move(problem));
}

void StoreOracle::Tried(const Record& record) {
  tried_[NumberOf(record.value)] = std::hash<std::string>()(record.value);
}

void StoreOracle::Acknowledged(const std::string& epoch, Seq seq, const Record& record) {
  const uint64_t number = NumberOf(record.value);
  ++tally_.acknowledged;
  epochs_.insert(epoch);
  SeeNumber(epoch, seq, number);
  owed_[number] = {epoch, seq, record.record_class};
  if (IsFolded(record.record_class)) folded_.insert(number);
}

void StoreOracle::SeeId(const std::string& epoch, Seq seq, const std::string& identity) {
  const auto id = IdOf(epoch, seq);
  const auto [known, is_new] = by_id_.try_emplace(id, identity);
  if (is_new || known->second == identity) return;
  ++tally_.doubled;
  Report(fmt::format("{} is the id of record {} and of record {}", id, known->second, identity));
}

void StoreOracle::SeeNumber(const std::string& epoch, Seq seq, uint64_t number) {
  SeeId(epoch, seq, fmt::format("{}", number));
  const auto id = IdOf(epoch, seq);
  const auto [known, is_new] = id_of_.try_emplace(number, id);
  if (is_new || known->second == id) return;
  ++tally_.doubled;
  Report(fmt::format("record {} has the ids {} and {}", number, known->second, id));
}

void StoreOracle::SeeGap(const Record& record) {
  if (Member(record.value, "class") == "dead_letter") return;  // No record is missing.
  const auto record_class = RecordClassFromName(Member(record.value, "class"));
  const std::string epoch(Member(record.value, "epoch"));
  const bool is_damage = Member(record.value, "reason") == kDamaged;
  const Gap gap{
      epoch, record_class.value_or(RecordClass::kGap), NumberIn(Member(record.value, "first_seq")),
      NumberIn(Member(record.value, "last_seq")), NumberIn(Member(record.value, "count"))};
  // Of damage nobody may know how many records it took.
  if (!record_class || !epochs_.contains(epoch) || gap.first > gap.last ||
      (gap.count == 0 && !is_damage) || gap.count > gap.last - gap.first + 1) {
    Report("not a gap record: " + record.value);
    return;
  }
  const auto begin = fmt::format("{}:{}:{}", epoch, RecordClassName(gap.record_class), gap.first);
  Gap& known = gaps_[begin];
  if (known.count > gap.count) return;  // Seen when it had grown further.
  tally_.gaps += gap.count - known.count;
  known = gap;
}

void StoreOracle::See(const Store& store, const Batch& batch) {
  const std::string& epoch = batch.numbering ? batch.numbering->epoch : store.epoch();
  const Seq first = batch.numbering ? batch.numbering->first_seq : batch.first_seq;
  epochs_.insert(epoch);
  for (size_t i = 0; i < batch.records.size(); ++i) {
    const Record& record = batch.records[i];
    if (IsGapRecord(record)) {
      SeeId(epoch, first + i,
            fmt::format("gap {} {}", Member(record.value, "class"),
                        Member(record.value, "first_seq")));
      SeeGap(record);
      continue;
    }
    if (IsDamageAlert(record)) {
      SeeId(epoch, first + i, record.value);
      continue;
    }
    const uint64_t number = NumberOf(record.value);
    SeeNumber(epoch, first + i, number);
    const auto tried = tried_.find(number);
    if (tried == tried_.end() || tried->second != std::hash<std::string>()(record.value)) {
      Report(
          fmt::format("seq {} holds what was never appended: '{:.40}'", first + i, record.value));
    }
  }
}

void StoreOracle::Delivered(const Store& store, const Batch& batch) {
  See(store, batch);
  for (const Record& record : batch.records) {
    if (!IsOwnRecord(record)) owed_.erase(NumberOf(record.value));
  }
}

bool StoreOracle::TakeFromGap(const Owed& owed) {
  return std::any_of(gaps_.begin(), gaps_.end(), [&](const auto& entry) {
    const Gap& gap = entry.second;
    return gap.epoch == owed.epoch && gap.record_class == owed.record_class &&
           gap.first <= owed.seq && owed.seq <= gap.last;
  });
}

void StoreOracle::Judge(Store& store) {
  std::map<uint64_t, uint64_t> stored;
  std::array<uint64_t, kRecordClassCount> last{};
  for (const Batch& batch : ReadAll(store)) {
    See(store, batch);
    for (const Record& record : batch.records) {
      if (IsOwnRecord(record)) continue;
      const uint64_t number = NumberOf(record.value);
      uint64_t& before = last[static_cast<size_t>(batch.record_class)];
      if (++stored[number] > 1) {
        ++tally_.doubled;
        Report(fmt::format("record {} is stored twice", number));
      } else if (number < before) {
        Report(fmt::format("record {} comes behind record {}", number, before));
      }
      before = number;
    }
  }
  for (auto owed = owed_.begin(); owed != owed_.end();) {
    if (stored.contains(owed->first)) {
      ++owed;
      continue;
    }
    if (!TakeFromGap(owed->second)) {
      ++tally_.lost;
      Report(fmt::format("record {} ({}, seq {}) is lost", owed->first,
                         RecordClassName(owed->second.record_class), owed->second.seq));
    }
    owed = owed_.erase(owed);
  }
}

}  // namespace tidegate
