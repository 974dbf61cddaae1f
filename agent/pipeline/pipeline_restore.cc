// The half of Pipeline that saves its state and comes back to it.

#include <algorithm>
#include <utility>

#include "agent/pipeline/fingerprint.h"
#include "agent/pipeline/input_inbox.h"
#include "agent/pipeline/pipeline.h"
#include "agent/pipeline/replay.h"

namespace tidegate {

namespace {

// Puts the messages together again whose records come one behind the other, and hands the receipt
// of each to its input.
class ReceiptsFromRecords {
 public:
  explicit ReceiptsFromRecords(std::map<std::string, Receipts>& receipts) : receipts_(receipts) {}

  void Add(const Record& record, const Arrival& arrival, const std::string& input) {
    const bool goes_on = packet_id_ && arrival.packet_id == packet_id_ && input == input_ &&
                         arrival.position == position_ + 1;
    if (!goes_on) End();
    packet_id_ = arrival.packet_id;
    position_ = arrival.position;
    input_ = input;
    if (packet_id_) fingerprint_.Add(record);
  }
  void End() {
    if (packet_id_ && !input_.empty())
      receipts_[input_].Add({.packet_id = *packet_id_, .fingerprint = fingerprint_.value()});
    packet_id_.reset();
    fingerprint_ = {};
  }

 private:
  std::map<std::string, Receipts>& receipts_;
  std::optional<uint16_t> packet_id_;
  uint32_t position_ = 0;
  std::string input_;
  Fingerprint fingerprint_;
};

}  // namespace

void Pipeline::Restore() {
  assert(pending_.empty());
  RestoreFold(/*receipts_too=*/true);
  EnterBoot(clock_.BootId());
  CountForgotten();
  store_.SetSnapshotSource([this] { return State(); });
}

// False: the store could not be read to the end.
bool Pipeline::RestoreFold(bool receipts_too) {
  Seq through = 0;
  fold_.Clear();
  if (const std::optional<FoldState> saved = LoadState(through)) {
    fold_.Load(*saved);
    fold_boot_ = saved->boot_id;
    for (const InputReceipts& input : saved->inputs) {
      if (receipts_too) receipts_[input.input].Load(input);
    }
  }
  ReceiptsFromRecords messages(receipts_);
  const auto replayed = ReplayBehind(
      store_, through,
      {.begin = [this](const ClockStamp& stamp) { EnterBoot(stamp.boot_id); },
       .each =
           [&](const Record& record, const Arrival& arrival, const std::string& input) {
             fold_.ApplyAgain(record, arrival.since_boot);
             if (receipts_too) messages.Add(record, arrival, input);
           }});
  messages.End();
  if (!replayed.ok()) {
    restore_failures_.Increment();
    log_.Error("restore the state: {}; it lacks what comes behind", replayed.error().message);
    return false;
  }
  log_.Info("state restored: {} asset(s), {} alert(s) raised, {} record(s) folded again",
            fold_.assets(), fold_.raised(), *replayed);
  return true;
}

// nullopt: there is none, or none that can be read. `through`: where the records behind it begin.
std::optional<FoldState> Pipeline::LoadState(Seq& through) {
  auto snapshot = store_.LoadSnapshot();
  Status failed;
  if (!snapshot.ok()) {
    failed = snapshot.error();
  } else if (*snapshot && (*snapshot)->body.empty()) {
    through = (*snapshot)->through;  // A store of before there were any.
  } else if (*snapshot) {
    auto state = DecodeFoldState((*snapshot)->body);
    if (state.ok()) {
      through = (*snapshot)->through;
      return std::move(state).value();
    }
    failed = state.error();
  }
  if (!failed.ok()) {
    restore_failures_.Increment();
    log_.Error("restore the state: {}; it begins with the records that are still stored",
               failed.error().message);
  }
  return std::nullopt;
}

void Pipeline::EnterBoot(const std::string& boot_id) {
  if (std::exchange(fold_boot_, boot_id) != boot_id) fold_.BeginBoot();
}

// The records that wait were folded, but one of them will never be stored. So the state begins with
// what is stored, and the others are folded once more. Rare, and costs what a restart costs.
void Pipeline::FoldPendingAgain() {
  auto records = pending_.TakeRecords();
  RestoreFold(/*receipts_too=*/false);
  EnterBoot(clock_.BootId());
  for (auto& [record, arrival] : records) {
    const Record stays = record;
    Keep(std::move(record), DecodedRecord(stays), arrival);
  }
}

std::optional<std::string> Pipeline::State() const {
  if (!committing_ && !pending_.empty()) return std::nullopt;
  FoldState state;
  state.boot_id = fold_boot_;
  fold_.Save(state);
  for (const std::string& input : input_names_) {
    state.inputs.push_back({.input = input, .since_reuse = 0, .receipts = {}});
    receipts_.at(input).Save(state.inputs.back());
  }
  return EncodeFoldState(state);
}

}  // namespace tidegate
