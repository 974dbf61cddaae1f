// A parking topic in memory, which a LogSource may read. One thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "reader/consume/parking.h"
#include "tests/support/reader/kafka_log.h"

namespace tidegate::reader {

class FakeParking final : public Parking {
 public:
  explicit FakeParking(KafkaLog& log) : log_(log) {}

  std::vector<Result<Position>> Park(std::span<const ParkedRecord> records, WallTime now) override;

  void TakeDown() { down_ = true; }
  void Restore() { down_ = false; }
  // The topic refuses values of more bytes.
  void SetLimit(size_t bytes) { limit_ = bytes; }
  size_t parked() const;
  // Where the records of the database are.
  static Partition PartitionOf(const std::string& database);

 private:
  KafkaLog& log_;
  bool down_ = false;
  size_t limit_ = 1'000'000;
};

}  // namespace tidegate::reader
