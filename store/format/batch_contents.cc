#include "store/format/batch_contents.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/varint.h"
#include "store/format/batch_arrivals.h"

namespace tidegate {
namespace {

constexpr uint8_t kFlagSourceTime = 1;
constexpr uint8_t kFlagClockSynced = 2;

// What follows, from version 2 on.
constexpr uint8_t kFlagNumbering = 1;
constexpr uint8_t kFlagArrivals = 2;
constexpr uint8_t kFlagEpoch = 4;
constexpr size_t kEpochDigits = 8;

// Sources of a batch: each (tenant, asset) is written once and then named by its index.
class SourceTable {
 public:
  // 0: a new one; else its index from 1.
  uint64_t Refer(const Record& record) {
    const auto [entry, is_new] = indexes_.try_emplace(
        std::pair<std::string_view, std::string_view>(record.tenant, record.asset),
        indexes_.size() + 1);
    return is_new ? 0 : entry->second;
  }

 private:
  std::map<std::pair<std::string_view, std::string_view>, uint64_t> indexes_;
};

void PutStamp(std::string& raw, const ClockStamp& stamp) {
  PutString(raw, stamp.boot_id);
  PutVarint(raw, ZigZag(stamp.since_boot.count()));
  PutVarint(raw, ZigZag(stamp.wall.time_since_epoch().count()));
  raw.push_back(stamp.synced ? 1 : 0);
}

void PutRecords(std::string& raw, std::span<const Record> records) {
  SourceTable sources;
  int64_t previous_time = 0;
  for (const Record& record : records) {
    const int64_t time = record.time.time_since_epoch().count();
    raw.push_back(
        static_cast<char>((record.time_source == TimeSource::kSource ? kFlagSourceTime : 0) |
                          (record.clock_synced ? kFlagClockSynced : 0)));
    PutVarint(raw, ZigZag(static_cast<int64_t>(static_cast<uint64_t>(time) -
                                               static_cast<uint64_t>(previous_time))));
    previous_time = time;
    const uint64_t source = sources.Refer(record);
    PutVarint(raw, source);
    if (source == 0) {
      PutString(raw, record.tenant);
      PutString(raw, record.asset);
    }
    PutVarint(raw, record.value.size());
  }
  for (const Record& record : records) raw.append(record.value);
}

// nullopt: the bytes end early or hold an impossible value.
std::optional<ClockStamp> GetStamp(ByteReader& reader) {
  const auto boot_id = reader.String();
  const auto since_boot = reader.Varint();
  const auto wall = reader.Varint();
  const auto synced = reader.Byte();
  if (!boot_id || !since_boot || !wall || !synced || *synced > 1) return std::nullopt;
  ClockStamp stamp;
  stamp.boot_id = *boot_id;
  stamp.since_boot = BootTime(UnZigZag(*since_boot));
  stamp.wall = WallTime(std::chrono::milliseconds(UnZigZag(*wall)));
  stamp.synced = *synced == 1;
  return stamp;
}

std::optional<Numbering> GetNumbering(ByteReader& reader) {
  const auto epoch = reader.String();
  const auto first_seq = reader.Varint();
  if (!epoch || !first_seq || *first_seq == 0 || *first_seq >> 56 != 0) return std::nullopt;
  return Numbering{std::string(*epoch), *first_seq};
}

// Eight hex digits as the number they are; nullopt: it is no epoch of that form.
std::optional<uint32_t> EpochNumber(std::string_view epoch) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(epoch.data(), epoch.data() + epoch.size(), number, 16);
  const bool whole = error == std::errc() && end == epoch.data() + epoch.size();
  if (!whole || epoch.size() != kEpochDigits || fmt::format("{:08x}", number) != epoch) {
    return std::nullopt;
  }
  return number;
}

// The short form holds only the epoch, for seqs that the batch has anyway. It takes so few bytes
// that every batch names its epoch.
bool HasShortNumbering(const BatchView& batch) {
  return batch.numbering != nullptr && batch.numbering->first_seq == batch.first_seq &&
         EpochNumber(batch.numbering->epoch).has_value();
}

uint8_t FlagsOf(const BatchView& batch) {
  uint8_t flags = batch.arrivals.empty() ? 0 : kFlagArrivals;
  if (batch.numbering != nullptr) flags |= HasShortNumbering(batch) ? kFlagEpoch : kFlagNumbering;
  return flags;
}

void PutNumbering(std::string& out, const BatchView& batch) {
  if (HasShortNumbering(batch)) {
    const uint32_t epoch = *EpochNumber(batch.numbering->epoch);
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(epoch >> shift));
  } else if (batch.numbering != nullptr) {
    PutString(out, batch.numbering->epoch);
    PutVarint(out, batch.numbering->first_seq);
  }
}

std::optional<Numbering> GetShortNumbering(ByteReader& reader, Seq first_seq) {
  const auto bytes = reader.Bytes(4);
  if (!bytes) return std::nullopt;
  uint32_t epoch = 0;
  for (size_t i = 0; i < 4; ++i) {
    epoch |= static_cast<uint32_t>(static_cast<uint8_t>((*bytes)[i])) << (8 * i);
  }
  return Numbering{fmt::format("{:08x}", epoch), first_seq};
}

class RecordReader {
 public:
  RecordReader(ByteReader& reader, RecordClass record_class)
      : reader_(reader), record_class_(record_class) {}

  // One record without its value, and that value's size.
  std::optional<std::pair<Record, uint64_t>> Head() {
    const auto flags = reader_.Byte();
    const auto time = reader_.Varint();
    const auto source = reader_.Varint();
    if (!flags || *flags > (kFlagSourceTime | kFlagClockSynced) || !time || !source) {
      return std::nullopt;
    }
    if (*source == 0) {
      const auto tenant = reader_.String();
      const auto asset = reader_.String();
      if (!tenant || !asset) return std::nullopt;
      sources_.emplace_back(*tenant, *asset);
    }
    if (*source > sources_.size()) return std::nullopt;
    const auto value_bytes = reader_.Varint();
    if (!value_bytes) return std::nullopt;
    time_ += static_cast<uint64_t>(UnZigZag(*time));
    CHECK(!sources_.empty(), "a record has a source");
    const auto& [tenant, asset] = *source == 0 ? sources_.back() : sources_[*source - 1];
    Record record;
    record.record_class = record_class_;
    record.time_source =
        (*flags & kFlagSourceTime) != 0 ? TimeSource::kSource : TimeSource::kGateway;
    record.clock_synced = (*flags & kFlagClockSynced) != 0;
    record.time = WallTime(std::chrono::milliseconds(static_cast<int64_t>(time_)));
    record.tenant = tenant;
    record.asset = asset;
    return std::pair(std::move(record), *value_bytes);
  }

 private:
  ByteReader& reader_;
  RecordClass record_class_;
  uint64_t time_ = 0;  // Unsigned, so that hostile differences wrap and do not overflow.
  std::vector<std::pair<std::string_view, std::string_view>> sources_;
};

Status GetRecords(ByteReader& reader, uint64_t count, Batch& batch) {
  RecordReader records(reader, batch.record_class);
  std::vector<uint64_t> value_bytes;
  for (uint64_t i = 0; i < count; ++i) {
    auto head = records.Head();
    if (!head) {
      return CorruptBody(fmt::format("bad record {} in the contents", i), reader.offset());
    }
    batch.records.push_back(std::move(head->first));
    value_bytes.push_back(head->second);
  }
  for (size_t i = 0; i < value_bytes.size(); ++i) {
    const auto value = reader.Bytes(value_bytes[i]);
    if (!value) {
      return CorruptBody(fmt::format("value {} ends early in the contents", i), reader.offset());
    }
    batch.records[i].value = *value;
  }
  return {};
}

}  // namespace

Error CorruptBody(std::string_view what, size_t offset) {
  return {ErrorCode::kCorrupt, fmt::format("batch body: {} at byte {}", what, offset)};
}

void PutContents(std::string& out, const BatchView& batch) {
  CHECK(batch.numbering == nullptr || batch.numbering->first_seq != 0, "a numbering has a seq");
  PutStamp(out, batch.stamp);
  out.push_back(static_cast<char>(FlagsOf(batch)));
  PutNumbering(out, batch);
  PutRecords(out, batch.records);
  if (!batch.arrivals.empty()) {
    PutArrivals(out, batch.stamp, batch.records, batch.arrivals, batch.inputs);
  }
}

Status GetContents(std::string_view raw, uint8_t version, uint64_t count, Batch& batch) {
  CHECK(batch.records.empty() && count > 0, "the contents are read once, into an empty batch");
  ByteReader reader(raw);
  auto stamp = GetStamp(reader);
  if (!stamp) return CorruptBody("bad clock stamp in the contents", reader.offset());
  batch.stamp = std::move(*stamp);
  uint8_t flags = 0;
  if (version >= 2) {
    const auto byte = reader.Byte();
    constexpr uint8_t kBothNumberings = kFlagNumbering | kFlagEpoch;
    if (!byte || *byte > (kBothNumberings | kFlagArrivals) ||
        (*byte & kBothNumberings) == kBothNumberings) {
      return CorruptBody("bad flags in the contents", reader.offset());
    }
    flags = *byte;
  }
  if ((flags & (kFlagNumbering | kFlagEpoch)) != 0) {
    batch.numbering = (flags & kFlagEpoch) != 0 ? GetShortNumbering(reader, batch.first_seq)
                                                : GetNumbering(reader);
    if (!batch.numbering) return CorruptBody("bad numbering in the contents", reader.offset());
  }
  if (auto status = GetRecords(reader, count, batch); !status.ok()) return status;
  if ((flags & kFlagArrivals) != 0 && !GetArrivals(reader, batch)) {
    return CorruptBody("bad arrivals in the contents", reader.offset());
  }
  CHECK(batch.records.size() == count, "every record that the head counts is read");
  if (reader.left() != 0) return CorruptBody("bytes left over in the contents", reader.offset());
  return {};
}

}  // namespace tidegate
