#include "store/format/batch_arrivals.h"

#include <utility>
#include <vector>

#include "core/check.h"

namespace tidegate {
namespace {

constexpr uint8_t kFlagPositions = 1;
constexpr uint64_t kMaxInputs = 1 << 16;

// What is said of a run of packet ids, each against the last one of the same input.
enum class IdStep : uint64_t { kNext = 0, kSame = 1, kNone = 2, kOther = 3 };
constexpr int kStepBits = 2;

// MQTT counts 1 to 65535.
uint16_t NextId(uint16_t id) {
  return id == 0xffff ? 1 : static_cast<uint16_t>(id + 1);
}

uint64_t Milliseconds(BootTime time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

// When the gateway dated a record, both of its clocks have gone the same way between the record and
// the stamp, so that this is 0, give or take rounding. Unsigned: hostile values wrap.
uint64_t ExpectedSinceBoot(const ClockStamp& stamp, const Record& record) {
  return Milliseconds(stamp.since_boot) +
         static_cast<uint64_t>(record.time.time_since_epoch().count()) -
         static_cast<uint64_t>(stamp.wall.time_since_epoch().count());
}

IdStep StepOf(std::optional<uint16_t> id, uint16_t last) {
  if (!id) return IdStep::kNone;
  if (*id == NextId(last)) return IdStep::kNext;
  return *id == last ? IdStep::kSame : IdStep::kOther;
}

void PutInputRuns(std::string& out, std::span<const Arrival> arrivals, size_t inputs) {
  for (size_t i = 0; i < arrivals.size();) {
    const size_t begin = i;
    CHECK(arrivals[begin].input < inputs, "an arrival names one of the batch's inputs");
    while (i < arrivals.size() && arrivals[i].input == arrivals[begin].input) ++i;
    PutVarint(out, arrivals[begin].input);
    PutVarint(out, i - begin);
  }
}

void PutIdRuns(std::string& out, std::span<const Arrival> arrivals, size_t inputs) {
  std::vector<uint16_t> last(inputs);
  for (size_t i = 0; i < arrivals.size();) {
    const IdStep step = StepOf(arrivals[i].packet_id, last[arrivals[i].input]);
    std::string others;
    uint64_t length = 0;
    for (; i < arrivals.size(); ++i, ++length) {
      uint16_t& before = last[arrivals[i].input];
      if (StepOf(arrivals[i].packet_id, before) != step) break;
      if (step == IdStep::kOther) PutVarint(others, ZigZag(*arrivals[i].packet_id - before));
      if (arrivals[i].packet_id) before = *arrivals[i].packet_id;
    }
    PutVarint(out, length << kStepBits | static_cast<uint64_t>(step));
    out += others;
  }
}

bool InOrder(std::span<const Arrival> arrivals) {
  for (size_t i = 0; i < arrivals.size(); ++i) {
    if (arrivals[i].position != i) return false;
  }
  return true;
}

bool GetInputRuns(ByteReader& reader, Batch& batch) {
  for (size_t i = 0; i < batch.arrivals.size();) {
    const auto input = reader.Varint();
    const auto length = reader.Varint();
    if (!input || !length || *input >= batch.inputs.size()) return false;
    if (*length == 0 || *length > batch.arrivals.size() - i) return false;
    for (const size_t end = i + *length; i < end; ++i) {
      batch.arrivals[i].input = static_cast<uint16_t>(*input);
    }
  }
  return true;
}

bool GetId(ByteReader& reader, IdStep step, uint16_t last, std::optional<uint16_t>& id) {
  switch (step) {
    case IdStep::kNext:
      id = NextId(last);
      return true;
    case IdStep::kSame:
      id = last;
      return true;
    case IdStep::kNone:
      return true;
    case IdStep::kOther:
      break;
  }
  const auto difference = reader.Varint();
  if (!difference) return false;
  id = static_cast<uint16_t>(last + static_cast<uint64_t>(UnZigZag(*difference)));
  return true;
}

bool GetIdRuns(ByteReader& reader, Batch& batch) {
  std::vector<uint16_t> last(batch.inputs.size());
  for (size_t i = 0; i < batch.arrivals.size();) {
    const auto run = reader.Varint();
    if (!run) return false;
    const auto step = static_cast<IdStep>(*run & ((1 << kStepBits) - 1));
    const uint64_t length = *run >> kStepBits;
    if (length == 0 || length > batch.arrivals.size() - i) return false;
    for (const size_t end = i + length; i < end; ++i) {
      Arrival& arrival = batch.arrivals[i];
      CHECK(arrival.input < last.size(), "an arrival names one of the batch's inputs");
      if (!GetId(reader, step, last[arrival.input], arrival.packet_id)) return false;
      if (arrival.packet_id) last[arrival.input] = *arrival.packet_id;
    }
  }
  return true;
}

bool GetTimes(ByteReader& reader, Batch& batch) {
  for (size_t i = 0; i < batch.arrivals.size(); ++i) {
    if (batch.records[i].time_source != TimeSource::kGateway) continue;
    const auto difference = reader.Varint();
    if (!difference) return false;
    batch.arrivals[i].since_boot = std::chrono::milliseconds(
        static_cast<int64_t>(ExpectedSinceBoot(batch.stamp, batch.records[i]) +
                             static_cast<uint64_t>(UnZigZag(*difference))));
  }
  return true;
}

bool GetPositions(ByteReader& reader, uint8_t flags, Batch& batch) {
  uint32_t expected = 0;
  for (Arrival& arrival : batch.arrivals) {
    arrival.position = expected++;
    if ((flags & kFlagPositions) == 0) continue;
    const auto difference = reader.Varint();
    if (!difference) return false;
    arrival.position += static_cast<uint32_t>(UnZigZag(*difference));
    expected = arrival.position + 1;
  }
  return true;
}

}  // namespace

void PutArrivals(std::string& out, const ClockStamp& stamp, std::span<const Record> records,
                 std::span<const Arrival> arrivals, std::span<const std::string> inputs) {
  CHECK(arrivals.size() == records.size(), "each record of a batch has an arrival");
  CHECK(inputs.size() <= kMaxInputs, "an arrival can name each of its inputs");
  const bool in_order = InOrder(arrivals);
  out.push_back(static_cast<char>(in_order ? 0 : kFlagPositions));
  PutVarint(out, inputs.size());
  for (const std::string& input : inputs) PutString(out, input);
  PutInputRuns(out, arrivals, inputs.size());
  PutIdRuns(out, arrivals, inputs.size());
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].time_source != TimeSource::kGateway) continue;
    const auto since_boot = static_cast<uint64_t>(arrivals[i].since_boot.count());
    PutVarint(out, ZigZag(static_cast<int64_t>(since_boot - ExpectedSinceBoot(stamp, records[i]))));
  }
  if (in_order) return;
  uint32_t expected = 0;
  for (const Arrival& arrival : arrivals) {
    PutVarint(out, ZigZag(static_cast<int32_t>(arrival.position - expected)));
    expected = arrival.position + 1;
  }
}

bool GetArrivals(ByteReader& reader, Batch& batch) {
  CHECK(batch.arrivals.empty() && batch.inputs.empty(), "arrivals are read once");
  CHECK(!batch.records.empty(), "arrivals follow their records");
  const auto flags = reader.Byte();
  const auto inputs = reader.Varint();
  if (!flags || *flags > kFlagPositions || !inputs || *inputs > kMaxInputs) return false;
  for (uint64_t i = 0; i < *inputs; ++i) {
    const auto input = reader.String();
    if (!input) return false;
    batch.inputs.emplace_back(*input);
  }
  batch.arrivals.resize(batch.records.size());
  return GetInputRuns(reader, batch) && GetIdRuns(reader, batch) && GetTimes(reader, batch) &&
         GetPositions(reader, *flags, batch);
}

}  // namespace tidegate
