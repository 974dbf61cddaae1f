// Parks records in a Kafka topic, in the format of parked_message.h. The records of one database
// are in one partition. One thread; the library's own threads call nothing of ours.
#pragma once

#include "core/clock.h"
#include "core/log.h"
#include "reader/consume/kafka_publisher.h"
#include "reader/consume/parking.h"

namespace tidegate::reader {

class KafkaParking final : public Parking {
 public:
  // Clock and log must outlive the object.
  KafkaParking(KafkaPublisher::Options options, const Clock& clock, const Log& log)
      : publisher_(std::move(options), clock, log) {}

  std::vector<Result<Position>> Park(std::span<const ParkedRecord> records, WallTime now) override;

 private:
  KafkaPublisher publisher_;
};

}  // namespace tidegate::reader
