#include "tests/crash/crash_points.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <filesystem>

#include "store/inspect.h"

namespace tidegate {
namespace {

constexpr int kSteps = 25;
constexpr uint64_t kStoreBytes = 1 << 20;

std::optional<FaultVfs::Call> CallOf(Fault fault) {
  switch (fault) {
    case Fault::kPower:
      return std::nullopt;
    case Fault::kWrite:
      return FaultVfs::Call::kWrite;
    case Fault::kSync:
      return FaultVfs::Call::kSync;
    case Fault::kOpen:
      return FaultVfs::Call::kOpen;
    case Fault::kTruncate:
      return FaultVfs::Call::kTruncate;
    case Fault::kDelete:
      return FaultVfs::Call::kDelete;
    case Fault::kRead:
      return FaultVfs::Call::kRead;
  }
  return std::nullopt;
}

}  // namespace

std::string_view FaultName(Fault fault) {
  static constexpr std::array<std::string_view, kFaultCount> kNames{
      "power", "write", "sync", "open", "truncate", "delete", "read"};
  return kNames[static_cast<size_t>(fault)];
}

std::string CrashPoint::Name() const {
  return fmt::format("{}/{}/{}", schedule, FaultName(fault), n);
}

std::optional<CrashPoint> CrashPoint::FromName(std::string_view name) {
  const size_t slash = name.find('/');
  const size_t last = name.rfind('/');
  if (slash == last) return std::nullopt;
  CrashPoint point;
  const auto number = [](std::string_view text, uint64_t& out) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
    return code == std::errc() && end == text.data() + text.size();
  };
  if (!number(name.substr(0, slash), point.schedule)) return std::nullopt;
  if (!number(name.substr(last + 1), point.n) || point.n == 0) return std::nullopt;
  for (size_t i = 0; i < kFaultCount; ++i) {
    point.fault = static_cast<Fault>(i);
    if (FaultName(point.fault) == name.substr(slash + 1, last - slash - 1)) return point;
  }
  return std::nullopt;
}

CrashMachine::CrashMachine(uint64_t seed, Durability durability, std::string disk)
    : random_(seed), vfs_(std::move(disk), seed), gateway_(seed) {
  fixture_.options.vfs = vfs_.name();
  fixture_.options.max_bytes = kStoreBytes;
  fixture_.options.durability = durability;
}

bool CrashMachine::SwitchOn() {
  store_.reset();
  auto store = fixture_.TryOpen();
  if (!store.ok()) return false;
  store_ = std::move(*store);
  // No fault here damages what was synced.
  if (store_->Usage().set_aside_files != 0) oracle().Report("the store had to be salvaged");
  if (gateway_.Start(*store_).ok()) return true;
  store_.reset();
  return false;
}

void CrashMachine::Fill() {
  if (!SwitchOn()) return oracle().Report("a new store does not open");
  gateway_.SetLargestValue(4000);  // Few batches, which the oracle reads at every point.
  const auto gaps = [&] { return store_->Usage().records[static_cast<size_t>(RecordClass::kGap)]; };
  while (gaps() == 0 && gateway_.Append(*store_)) {
  }
  gateway_.SetLargestValue(700);
  store_.reset();
}

void CrashMachine::StartFrom(const CrashMachine& other) {
  if (std::filesystem::exists(other.fixture_.options.path))
    std::filesystem::copy_file(other.fixture_.options.path, fixture_.options.path);
  gateway_ = other.gateway_;
}

std::vector<uint64_t> CrashMachine::CountCalls() {
  Work(Fault::kPower);
  store_.reset();
  std::vector<uint64_t> counts;
  for (size_t i = 0; i < kFaultCount; ++i) {
    counts.push_back(vfs_.calls(CallOf(static_cast<Fault>(i))));
  }
  return counts;
}

void CrashMachine::Work(Fault fault) {
  int behind = 0;
  for (int i = 0; i < kSteps; ++i) {
    if (random_() % 16 == 0) store_.reset();
    if (store_ != nullptr || SwitchOn()) gateway_.Step(*store_);
    if (vfs_.failed() && (fault == Fault::kPower || ++behind == 3)) return;
  }
}

void CrashMachine::Run(const CrashPoint& point) {
  // Not the schedule's own numbers, which must stay the same at every point.
  std::mt19937_64 random(point.schedule * 1'000'003 + point.n * 31 +
                         static_cast<uint64_t>(point.fault));
  if (point.fault == Fault::kPower) {
    vfs_.CutPowerAt(point.n);
  } else {
    vfs_.FailNth(point.n, CallOf(point.fault), 0, random() % 2 == 0);
  }
  Work(point.fault);
  ++oracle().tally().faults;
  if (point.fault != Fault::kPower) {
    if (random() % 2 == 0) {
      GoOn();
    } else {
      GoOnUntilACut(1 + random() % 80);
    }
  }
  CutPower(random());
  // And again, in the middle of the recovery.
  for (uint64_t again = random() % 3; again != 0; --again) {
    vfs_.CutPowerAt(1 + random() % 20);
    if (SwitchOn()) gateway_.Step(*store_);
    ++oracle().tally().faults;
    CutPower(random());
  }
  ExpectRecovered();
}

// The process lives on, and the disk works again.
void CrashMachine::GoOn() {
  vfs_.Heal();
  if (store_ == nullptr && !SwitchOn())
    return oracle().Report("does not open on a disk that works");
  if (!gateway_.Append(*store_)) oracle().Report("does not append on a disk that works again");
  oracle().Judge(*store_);
  for (int i = 0; i < 3; ++i) gateway_.Step(*store_);
}

// The power is cut while the store recovers from the fault.
void CrashMachine::GoOnUntilACut(uint64_t n) {
  vfs_.Heal();
  vfs_.CutPowerAt(n);
  for (int i = 0; i < 3 && !vfs_.failed(); ++i) {
    if (store_ != nullptr || SwitchOn()) gateway_.Append(*store_);
  }
  ++oracle().tally().faults;
}

void CrashMachine::CutPower(uint64_t seed) {
  vfs_.CutPower();
  store_.reset();
  vfs_.RestorePower(seed);
}

void CrashMachine::ExpectRecovered() {
  if (!SwitchOn()) {
    const auto store = fixture_.TryOpen();
    return oracle().Report("does not open: " + (store.ok() ? "once" : store.error().message));
  }
  oracle().Judge(*store_);
  for (int i = 0; i < 3; ++i) gateway_.Step(*store_);
  if (!gateway_.Append(*store_)) oracle().Report("does not append after the power is back");
  oracle().Judge(*store_);
  store_.reset();
  const auto report = Verify(fixture_.options.path);
  if (!report.ok()) return oracle().Report("verify: " + report.error().message);
  for (const std::string& finding : report->findings) oracle().Report("verify: " + finding);
}

}  // namespace tidegate
