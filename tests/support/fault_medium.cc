#include "tests/support/fault_medium.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tidegate {
namespace {

constexpr uint64_t kBlockBytes = 4096;

void PutAt(std::string& contents, uint64_t offset, std::string_view bytes) {
  if (contents.size() < offset + bytes.size()) contents.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), contents.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

FaultMedium::PowerLoss FaultMedium::PowerLoss::Draw(std::mt19937_64& random, bool may_ruin_blocks) {
  static constexpr std::array<uint64_t, 4> kUnits{0, kBlockBytes, 512, 1};
  static constexpr std::array<uint64_t, 5> kSurvivors{0, 1, 5, 9, 10};
  PowerLoss loss;
  loss.unit_bytes = kUnits[random() % kUnits.size()];
  loss.survivors = kSurvivors[random() % kSurvivors.size()];
  loss.ruins_blocks = may_ruin_blocks && random() % 4 == 0;
  return loss;
}

void FaultMedium::Write(uint64_t offset, std::string_view bytes) {
  unsynced_.push_back({offset, std::string(bytes), false});
}

void FaultMedium::Truncate(uint64_t size) {
  unsynced_.push_back({size, {}, true});
}

void FaultMedium::Apply(const Change& change) {
  if (change.is_truncate) {
    synced_.resize(change.offset);
  } else {
    PutAt(synced_, change.offset, change.bytes);
  }
}

void FaultMedium::Sync() {
  for (const Change& change : unsynced_) Apply(change);
  unsynced_.clear();
}

void FaultMedium::FailSync(std::mt19937_64& random) {
  const PowerLoss loss = PowerLoss::Draw(random, false);
  for (const Change& change : unsynced_) LosePart(change, loss, random);
  unsynced_.clear();
}

const std::string& FaultMedium::Lose(const PowerLoss& loss, std::mt19937_64& random) {
  for (const Change& change : std::exchange(unsynced_, {})) LosePart(change, loss, random);
  return synced_;
}

void FaultMedium::LosePart(const Change& change, const PowerLoss& loss, std::mt19937_64& random) {
  const auto survives = [&] { return random() % 10 < loss.survivors; };
  if (change.is_truncate || loss.unit_bytes == 0) {
    if (survives()) Apply(change);
    return;
  }
  if (loss.unit_bytes == 1) {  // Torn once, at any byte.
    const uint64_t size = survives() ? change.bytes.size() : random() % (change.bytes.size() + 1);
    PutAt(synced_, change.offset, std::string_view(change.bytes).substr(0, size));
    return;
  }
  for (uint64_t at = 0; at < change.bytes.size();) {
    const uint64_t end =
        ((change.offset + at) / loss.unit_bytes + 1) * loss.unit_bytes - change.offset;
    const uint64_t size = std::min<uint64_t>(end, change.bytes.size()) - at;
    if (survives()) {
      PutAt(synced_, change.offset + at, std::string_view(change.bytes).substr(at, size));
    } else if (loss.ruins_blocks) {
      Ruin(change.offset + at, size, random);
    }
    at += size;
  }
}

void FaultMedium::Ruin(uint64_t offset, uint64_t size, std::mt19937_64& random) {
  const uint64_t begin = offset / kBlockBytes * kBlockBytes;
  const uint64_t end = (offset + size + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  std::string noise(end - begin, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  PutAt(synced_, begin, noise);
}

}  // namespace tidegate
