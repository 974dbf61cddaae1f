// The half of Pipeline that saves its state and comes back to it.

#include <algorithm>
#include <cassert>
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
  // The store opens itself anew after an error, so the next try may read.
  for (int tries = 3; tries > 0 && !RestoreFold(/*receipts_too=*/true); --tries) {
  }
  log_.Info("state restored: {} asset(s), {} alert(s) raised{}", fold_.assets(), fold_.raised(),
            fold_complete_ ? "" : "; INCOMPLETE, and not saved until a restart finds it whole");
  EnterBoot(clock_.BootId());
  CountForgotten();
  store_.SetSnapshotSource([this] { return State(); });
}

// False: the store could not be read to the end.
bool Pipeline::RestoreFold(bool receipts_too) {
  Seq through = 0;
  fold_.Clear();
  fold_complete_ = false;
  const auto saved = LoadState(through);
  if (!saved.ok()) return false;
  if (*saved) {
    fold_.Load(**saved);
    fold_boot_ = (*saved)->boot_id;
    for (const InputReceipts& input : (*saved)->inputs) {
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
  fold_complete_ = true;
  return true;
}

// nullopt: there is none, or a damaged or later one. Error: it cannot be read now. `through`: where
// the records behind it begin.
Result<std::optional<FoldState>> Pipeline::LoadState(Seq& through) {
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
      return std::optional<FoldState>(std::move(state).value());
    }
    failed = state.error();
  }
  if (!failed.ok()) {
    restore_failures_.Increment();
    log_.Error("restore the state: {}; it begins with the records that are still stored",
               failed.error().message);
    if (failed.error().code == ErrorCode::kUnavailable) return failed.error();
  }
  return std::optional<FoldState>();
}

void Pipeline::EnterBoot(const std::string& boot_id) {
  if (std::exchange(fold_boot_, boot_id) != boot_id) fold_.BeginBoot();
}

std::optional<std::string> Pipeline::State() const {
  if (!fold_complete_ || (!committing_ && !pending_.empty())) return std::nullopt;
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
