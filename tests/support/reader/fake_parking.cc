#include "tests/support/reader/fake_parking.h"

#include "reader/consume/parked_message.h"

namespace tidegate::reader {

Partition FakeParking::PartitionOf(const std::string& database) {
  return {"telemetry.parked", static_cast<int32_t>(database.size() % 2)};
}

size_t FakeParking::parked() const {
  size_t count = 0;
  for (const auto& [partition, messages] : log_.partitions)
    if (partition.topic == "telemetry.parked") count += messages.size();
  return count;
}

std::vector<Result<Position>> FakeParking::Park(std::span<const ParkedRecord> records,
                                                WallTime now) {
  std::vector<Result<Position>> places;
  for (const ParkedRecord& record : records) {
    if (down_) {
      places.push_back(Error{ErrorCode::kUnavailable, "the parking topic is away"});
      continue;
    }
    if (record.message->value && record.message->value->size() > limit_) {
      places.push_back(Error{ErrorCode::kRejected, "larger than the parking topic takes"});
      continue;
    }
    const Partition partition = PartitionOf(*record.database);
    log_.Append(partition, record.message->value.value_or(""), now, 0,
                ParkedHeaders(*record.message, record.epoch, now));
    SourceMessage& message = log_.partitions[partition].back();
    message.key = *record.database;
    places.push_back(Position{partition, message.offset + 1});
  }
  return places;
}

}  // namespace tidegate::reader
