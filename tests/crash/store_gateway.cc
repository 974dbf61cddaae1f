#include "tests/crash/store_gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

constexpr std::string_view kValueName = "crash.counter";
// Of each batch that is handed out, the uplink has so many under way.
constexpr size_t kWindow = 4;

// Numbers as runs, "1-7,9-9".
std::string Runs(const std::set<uint64_t>& numbers) {
  std::string out;
  for (auto at = numbers.begin(); at != numbers.end();) {
    const uint64_t first = *at;
    uint64_t last = first;
    while (++at != numbers.end() && *at == last + 1) last = *at;
    fmt::format_to(std::back_inserter(out), "{}-{},", first, last);
  }
  return out;
}

std::set<uint64_t> NumbersOf(std::string_view runs) {
  std::set<uint64_t> numbers;
  while (!runs.empty()) {
    uint64_t first = 0;
    uint64_t last = 0;
    const size_t end = runs.find(',');
    const size_t dash = runs.find('-');
    if (end == std::string_view::npos || dash >= end) break;
    std::from_chars(runs.data(), runs.data() + dash, first);
    std::from_chars(runs.data() + dash + 1, runs.data() + end, last);
    for (uint64_t n = first; n <= last; ++n) numbers.insert(n);
    runs.remove_prefix(end + 1);
  }
  return numbers;
}

}  // namespace

Status StoreGateway::Start(Store& store) {
  in_flight_.clear();
  cursor_ = {};
  // The process that waited for an answer is gone, and the source keeps what was not acknowledged.
  pending_.clear();
  letters_.clear();
  if (auto status = RebuildFold(store); !status.ok()) return status;
  if (auto status = CheckValue(store); !status.ok()) return status;
  store.SetSnapshotSource([this] { return TakeSnapshot(); });
  return {};
}

std::optional<std::string> StoreGateway::TakeSnapshot() {
  asked_ = true;
  if (!in_append_ && !pending_.empty()) return std::nullopt;
  return Runs(fold_);
}

// Snapshot and replay give each acknowledged record, and none twice.
Status StoreGateway::RebuildFold(Store& store) {
  fold_.clear();
  auto snapshot = store.LoadSnapshot();
  if (!snapshot.ok()) return snapshot.error();
  Seq through = 0;
  if (*snapshot) {
    fold_ = NumbersOf((*snapshot)->body);
    through = (*snapshot)->through;
  }
  for (const auto record_class : {RecordClass::kHeartbeat, RecordClass::kReading}) {
    for (Seq after = through;;) {
      const auto batch = store.Replay(record_class, after);
      if (!batch.ok()) return batch.error();
      if (!*batch) break;
      after = (*batch)->first_seq + (*batch)->records.size() - 1;
      for (const Record& record : (*batch)->records) {
        if (fold_.insert(StoreOracle::NumberOf(record.value)).second) continue;
        oracle_.Report(fmt::format("record {:.20} is folded twice", record.value));
      }
    }
  }
  if (!asked_) return {};
  ++folds_checked_;
  for (const uint64_t number : oracle_.folded()) {
    if (!fold_.contains(number)) oracle_.Report(fmt::format("the fold has lost {}", number));
  }
  return {};
}

Status StoreGateway::CheckValue(Store& store) {
  const auto value = store.ReadValue(kValueName);
  if (!value.ok()) return value.error();
  uint64_t found = 0;
  if (*value) std::from_chars((*value)->data(), (*value)->data() + (*value)->size(), found);
  if (found < saved_value_ || found > last_value_) {
    oracle_.Report(fmt::format("the saved value is {}, not {}", found, saved_value_));
  }
  return {};
}

void StoreGateway::SaveValue(Store& store) {
  if (store.WriteValue(kValueName, fmt::format("{}", ++last_value_)).ok()) {
    saved_value_ = last_value_;
  }
}

void StoreGateway::Step(Store& store) {
  const uint64_t dice = random_() % 100;
  if (dice < 50) {
    Append(store);
  } else if (dice < 85) {
    Deliver(store);
  } else if (dice < 96) {
    (void)store.Flush();
  } else {
    SaveValue(store);
  }
}

Record StoreGateway::MakeOne(RecordClass record_class) {
  std::string value = fmt::format("{} ", ++last_number_);
  // Noise, so that compression does not hide the size.
  for (uint64_t size = random_() % largest_value_; size != 0; --size) {
    value.push_back(static_cast<char>(' ' + random_() % 90));
  }
  return MakeRecord(std::move(value), record_class);
}

void StoreGateway::Prepare() {
  if (random_() % 16 == 0) {
    letters_.push_back({"local", "a/b", "not JSON", std::string(random_() % 2000, 'x'), {}});
  }
  // Mostly vehicles; alerts and readings beside them.
  static constexpr std::array<RecordClass, 8> kMix{RecordClass::kHeartbeat, RecordClass::kHeartbeat,
                                                   RecordClass::kHeartbeat, RecordClass::kReading,
                                                   RecordClass::kReading,   RecordClass::kReading,
                                                   RecordClass::kReading,   RecordClass::kAlert};
  for (uint64_t batches = 1 + random_() % 2; batches != 0; --batches) {
    const auto record_class = kMix[random_() % kMix.size()];
    std::vector<Record> records;
    for (uint64_t count = 1 + random_() % 4; count != 0; --count) {
      records.push_back(MakeOne(record_class));
      oracle_.Tried(records.back());
      if (record_class == RecordClass::kHeartbeat || record_class == RecordClass::kReading) {
        fold_.insert(last_number_);
      }
    }
    pending_.push_back(std::move(records));
  }
}

bool StoreGateway::Append(Store& store) {
  if (pending_.empty()) Prepare();
  AppendRequest request;
  for (const auto& records : pending_)
    request.batches.push_back({records.front().record_class, records});
  request.dead_letters = letters_;
  in_append_ = true;
  const auto seq = store.Append(request);
  in_append_ = false;
  if (!seq.ok()) return false;
  Seq next = *seq;
  for (const auto& records : pending_) {
    for (const Record& record : records) oracle_.Acknowledged(store.epoch(), next++, record);
  }
  pending_.clear();
  letters_.clear();
  return true;
}

void StoreGateway::Deliver(Store& store) {
  while (in_flight_.size() < kWindow) {
    auto next = store.Next(cursor_);
    if (!next.ok() || !*next) break;
    cursor_.last[static_cast<size_t>((*next)->record_class)] = (*next)->first_seq;
    in_flight_.push_back(std::move(**next));
  }
  for (uint64_t count = random_() % (kWindow + 1); count != 0 && !in_flight_.empty(); --count) {
    const Batch& batch = in_flight_.front();
    oracle_.Delivered(store, batch);
    store.Delivered(batch.record_class, batch.first_seq);
    in_flight_.pop_front();
  }
}

}  // namespace tidegate
