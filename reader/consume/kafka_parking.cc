#include "reader/consume/kafka_parking.h"

#include "core/check.h"
#include "reader/consume/parked_message.h"

namespace tidegate::reader {

namespace {
Outgoing MessageFor(const ParkedRecord& record, WallTime now) {
  CHECK(record.message && record.database, "a record has a message and a database");
  const SourceMessage& message = *record.message;
  return {.key = record.database,
          .value = message.value ? &*message.value : nullptr,
          .value_bytes = message.value ? message.value->size() : 0,
          .headers = ParkedHeaders(message, record.epoch, now)};
}
}  // namespace

std::vector<Result<Position>> KafkaParking::Park(std::span<const ParkedRecord> records,
                                                 WallTime now) {
  std::vector<Outgoing> messages;
  for (const ParkedRecord& record : records) messages.push_back(MessageFor(record, now));
  std::vector<Result<Position>> places = publisher_.Publish(messages);
  // A request is refused whole, so each of its messages is tried alone.
  for (size_t i = 0; messages.size() > 1 && i < places.size(); ++i) {
    if (!places[i].ok() && places[i].error().code == ErrorCode::kRejected)
      places[i] = publisher_.Publish({&messages[i], 1}).front();
  }
  return places;
}

}  // namespace tidegate::reader
