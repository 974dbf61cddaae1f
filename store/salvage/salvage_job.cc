#include "store/salvage/salvage_job.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <vector>

#include "store/format/checksum.h"

namespace tidegate {
namespace {

constexpr std::string_view kMagic = "salvage 1\n";
constexpr size_t kMaxWhyBytes = 1000;
constexpr Seq kAll = std::numeric_limits<Seq>::max();

// The members as lines of `name=value`. `Job` is const for writing.
template <typename Job, typename Visit>
void VisitNumbers(Job& job, const Visit& visit) {
  visit("with_log", job.with_log);
  visit("since_ms", job.since_ms);
  visit("end_seq", job.end_seq);
  visit("end_is_exact", job.end_is_exact);
  visit("replay_after", job.replay_after);
  visit("replay_key", job.replay_key);
  visit("last_key", job.last_key);
  visit("last_letter", job.last_letter);
  visit("losses_declared", job.losses_declared);
  visit("batches", job.batches);
  visit("records", job.records);
  visit("letters", job.letters);
  visit("unsure", job.unsure);
  visit("left", job.left);
  visit("renamed", job.renamed);
  visit("lost", job.lost);
  visit("lost_unknown", job.lost_unknown);
  visit("is_store", job.is_store);
}

bool IsPossible(const SalvageJob& job, uint64_t phase, uint64_t replay) {
  return phase <= static_cast<uint64_t>(SalvageJob::Phase::kEnd) &&
         replay <= static_cast<uint64_t>(SalvageJob::Replay::kMoved) &&
         job.end_seq <= kMaxFoundSeq && job.replay_after <= kMaxSeq &&
         job.last_key <= static_cast<uint64_t>(EndOfClass(kRecordClasses.back())) &&
         job.replay_key <= static_cast<uint64_t>(EndOfClass(kRecordClasses.back()));
}

// Sets the member of that name. Returns false if the value is no number; an unknown name is of a
// later version that earlier ones may ignore.
bool SetNumber(SalvageJob& job, std::string_view name, std::string_view value, uint64_t& phase,
               uint64_t& replay) {
  uint64_t number = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size()) return false;
  if (name == "phase") phase = number;
  if (name == "replay") replay = number;
  VisitNumbers(job, [&](std::string_view known, uint64_t& member) {
    if (known == name) member = number;
  });
  return true;
}

}  // namespace

Seq SalvageJob::SendableThrough(RecordClass record_class) const {
  if (phase > Phase::kBatches) return kAll;
  if (phase < Phase::kBatches) return 0;
  const auto moving = static_cast<uint64_t>(record_class) << 56;
  const uint64_t current = last_key >> 56 << 56;
  if (moving < current) return kAll;
  return moving == current ? last_key - current : 0;
}

std::string SalvageJob::Summary() const {
  std::string text = is_store == 0
                         ? std::string("it is none of ours")
                         : fmt::format("{} records in {} batches and {} dead letters were salvaged",
                                       records, batches, letters);
  if (lost > 0) text += fmt::format(", at most {} are lost", lost);
  if (lost_unknown > 0) text += ", an unknown number may be lost";
  if (left > 0) text += fmt::format(", {} had no room", left);
  if (unsure > 0) text += fmt::format(", {} batches may be sent a second time", unsure);
  if (renamed > 0) text += fmt::format(", {} have new ids", renamed);
  return text;
}

std::string EncodeSalvageJob(const SalvageJob& job) {
  std::string body(kMagic);
  body += fmt::format("epoch={}\nphase={}\nreplay={}\n", job.epoch,
                      static_cast<uint64_t>(job.phase), static_cast<uint64_t>(job.replay));
  VisitNumbers(job, [&](std::string_view name, uint64_t number) {
    body += fmt::format("{}={}\n", name, number);
  });
  body += "why=";
  for (const char c : std::string_view(job.why).substr(0, kMaxWhyBytes)) {
    body.push_back(c == '\n' ? ' ' : c);
  }
  body.push_back('\n');
  AppendChecksum(body);
  return body;
}

Result<SalvageJob> DecodeSalvageJob(std::string_view row_name, std::string_view body) {
  const Error corrupt{ErrorCode::kCorrupt, fmt::format("row {}: does not read", row_name)};
  const auto checked = CheckedBytes(body);
  if (!checked || !checked->starts_with(kMagic) || !row_name.starts_with(kStateSalvagePrefix)) {
    return corrupt;
  }
  SalvageJob job;
  job.aside_name = row_name.substr(kStateSalvagePrefix.size());
  uint64_t phase = 0, replay = 0;
  std::string_view rest = checked->substr(kMagic.size());
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) return corrupt;
    const std::string_view name = line.substr(0, equals), value = line.substr(equals + 1);
    if (name == "epoch") {
      job.epoch = value;
    } else if (name == "why") {
      job.why = value;
    } else if (!SetNumber(job, name, value, phase, replay)) {
      return corrupt;
    }
  }
  if (!IsPossible(job, phase, replay)) return corrupt;
  job.phase = static_cast<SalvageJob::Phase>(phase);
  job.replay = static_cast<SalvageJob::Replay>(replay);
  return job;
}

}  // namespace tidegate
