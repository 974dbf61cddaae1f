#include "agent/pipeline/pipeline_state.h"

#include <utility>

#include "agent/pipeline/fingerprint.h"
#include "agent/pipeline/replay.h"
#include "core/check.h"

namespace tidegate {

namespace {

constexpr int kRestoreAttempts = 3;

// Joins consecutive records of one message, and adds the receipt of each message to its input.
class ReceiptsFromRecords {
 public:
  explicit ReceiptsFromRecords(std::map<std::string, Receipts>& receipts) : receipts_(receipts) {}

  void Add(const Record& record, const Arrival& arrival, const std::string& input) {
    const bool same_message = packet_id_ && arrival.packet_id == packet_id_ && input == input_ &&
                              arrival.position == position_ + 1;
    if (!same_message) EndMessage();
    packet_id_ = arrival.packet_id;
    position_ = arrival.position;
    input_ = input;
    if (packet_id_) fingerprint_.Add(record);
  }
  void EndMessage() {
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

PipelineState::PipelineState(Store& store, const Clock& clock, const Log& log, Metrics& metrics,
                             std::vector<Rule> rules, Fold::Options options)
    : store_(store),
      clock_(clock),
      log_(log),
      max_assets_(options.assets),
      fold_(std::move(rules), options),
      boot_id_(clock.BootId()),
      restore_failures_(metrics.AddCounter(
          "tidegate_restore_failures_total",
          "Snapshots or batches that could not be read when the state was restored")),
      assets_forgotten_(metrics.AddCounter("tidegate_assets_forgotten_total",
                                           "Assets forgotten because there were too many")) {}

void PipelineState::Restore() {
  CHECK(fold_.assets() == 0, "the state is restored before the first record is folded");
  // The store reopens itself after an error, so the next attempt may succeed.
  for (int attempts = kRestoreAttempts; attempts > 0; --attempts) {
    if (ReadBack(/*with_receipts=*/true)) break;
  }
  log_.Info("state restored: {} asset(s), {} alert(s) raised{}", fold_.assets(), fold_.raised(),
            complete_ ? "" : "; INCOMPLETE, and not saved until a restart finds it whole");
  EnterBoot(clock_.BootId());
  ReportForgotten();
}

bool PipelineState::RestoreFold() {
  const bool complete = ReadBack(/*with_receipts=*/false);
  EnterBoot(clock_.BootId());
  return complete;
}

bool PipelineState::ReadBack(bool with_receipts) {
  Seq through = 0;
  fold_.Clear();
  complete_ = false;
  if (with_receipts) {
    for (auto& [input, receipts] : receipts_) receipts = Receipts();
    for (auto& [input, retained] : retained_) retained = RetainedReceipts();
  }
  const auto saved = LoadSnapshot(through);
  if (!saved.ok()) return false;
  if (*saved) {
    fold_.Load(**saved);
    boot_id_ = (*saved)->boot_id;
    if (with_receipts) LoadReceipts(**saved);
  }
  ReceiptsFromRecords messages(receipts_);
  const auto replayed = ReplayAfter(
      store_, through,
      {.begin = [this](const ClockStamp& stamp) { EnterBoot(stamp.boot_id); },
       .each =
           [&](const Record& record, const Arrival& arrival, const std::string& input) {
             const bool retained = IsRetainedInput(input);
             fold_.ApplyAgain(record, arrival.since_boot, retained);
             if (!with_receipts) return;
             messages.Add(record, arrival, retained ? std::string(InputOfRetained(input)) : input);
           }});
  messages.EndMessage();
  if (!replayed.ok()) {
    restore_failures_.Increment();
    log_.Error("restore the state: {}; it lacks what follows", replayed.error().message);
    // Reading again finds the same damage.
    if (replayed.error().code != ErrorCode::kCorrupt) return false;
  }
  complete_ = true;
  return true;
}

Result<std::optional<FoldState>> PipelineState::LoadSnapshot(Seq& through) {
  auto snapshot = store_.LoadSnapshot();
  if (!snapshot.ok()) return Unreadable(snapshot.error());
  if (!*snapshot) return std::optional<FoldState>();
  if ((*snapshot)->body.empty()) {
    // The store dates from a version without snapshots.
    through = (*snapshot)->through;
    return std::optional<FoldState>();
  }
  auto state = DecodeFoldState((*snapshot)->body);
  if (!state.ok()) return Unreadable(state.error());
  through = (*snapshot)->through;
  return std::optional<FoldState>(std::move(state).value());
}

Result<std::optional<FoldState>> PipelineState::Unreadable(const Error& error) {
  restore_failures_.Increment();
  log_.Error("restore the state: {}; it begins with the records that are still stored",
             error.message);
  if (error.code == ErrorCode::kUnavailable) return error;
  return std::optional<FoldState>();
}

void PipelineState::LoadReceipts(const FoldState& saved) {
  for (const InputReceipts& input : saved.inputs) {
    if (IsRetainedInput(input.input)) {
      retained_[std::string(InputOfRetained(input.input))].Load(input);
    } else {
      receipts_[input.input].Load(input);
    }
  }
}

void PipelineState::SaveReceipts(const std::string& input, FoldState& state) const {
  const auto receipts = receipts_.find(input);
  const auto retained = retained_.find(input);
  CHECK(receipts != receipts_.end() && retained != retained_.end(),
        "every input of a snapshot has receipts");
  state.inputs.push_back({.input = input, .since_reuse = 0, .receipts = {}});
  receipts->second.Save(state.inputs.back());
  if (!retained->second.active()) return;
  state.inputs.push_back({.input = RetainedInputName(input), .since_reuse = 0, .receipts = {}});
  retained->second.Save(state.inputs.back());
}

void PipelineState::EnterBoot(const std::string& boot_id) {
  if (std::exchange(boot_id_, boot_id) != boot_id) fold_.BeginBoot();
}

std::optional<std::string> PipelineState::Encode(std::span<const std::string> inputs) const {
  if (!complete_) return std::nullopt;
  FoldState state;
  state.boot_id = boot_id_;
  fold_.Save(state);
  for (const std::string& input : inputs) {
    if (!IsRetainedInput(input)) SaveReceipts(input, state);
  }
  return EncodeFoldState(state);
}

void PipelineState::ReportForgotten() {
  CHECK(forgotten_reported_ <= fold_.forgotten(),
        "the fold's count of forgotten assets only grows");
  const uint64_t forgotten = fold_.forgotten() - forgotten_reported_;
  if (forgotten == 0) return;
  forgotten_reported_ = fold_.forgotten();
  assets_forgotten_.Increment(static_cast<double>(forgotten));
  if (const auto count = forgotten_log_.Count(clock_.SinceBoot(), forgotten)) {
    log_.Warning("more than {} assets: {} are forgotten, with the states of their rules",
                 max_assets_, *count);
  }
}

}  // namespace tidegate
