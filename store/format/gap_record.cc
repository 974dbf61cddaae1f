#include "store/format/gap_record.h"

#include <fmt/format.h>

#include "core/check.h"
#include "core/time_format.h"

namespace tidegate {
namespace {

// Enough for what passes IsAssetName: no control characters.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string Seqs(const Gap& gap) {
  if (!gap.record_class) return {};
  return fmt::format(R"("first_seq":{},"last_seq":{},)", gap.first_seq, gap.last_seq);
}

}  // namespace

Record MakeGapRecord(const Gap& gap, const GapOrigin& origin, const ClockStamp& stamp) {
  CHECK(gap.first_seq <= gap.last_seq, "a gap has its seqs in order");
  CHECK(gap.reason == kGapStoreFull || gap.reason == kGapDamaged || gap.reason == kGapLettersFull,
        "a gap has one of the reasons");
  Record record;
  record.record_class = RecordClass::kGap;
  record.time_source = TimeSource::kGateway;
  record.clock_synced = stamp.synced;
  record.time = stamp.wall;
  record.tenant = gap.tenant;
  record.asset = origin.gateway;
  const std::string gateway = Quoted(origin.gateway);
  record.value =
      fmt::format(R"({{"tenant_id":{},"asset_id":{},"timestamp":"{}","gateway_id":{},"epoch":"{}",)"
                  R"("class":"{}",{}"count":{},"reason":"{}"}})",
                  Quoted(gap.tenant), gateway, FormatTime(stamp.wall), gateway, origin.epoch,
                  gap.record_class ? RecordClassName(*gap.record_class) : kGapOfLetters, Seqs(gap),
                  gap.count, gap.reason);
  return record;
}

}  // namespace tidegate
