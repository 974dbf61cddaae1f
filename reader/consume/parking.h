// Keeps records that their database cannot accept now, until it can: a Kafka topic, or a list in
// tests. The records of one database stay in their order. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

// The pointers are the caller's. REQUIRES: neither is null.
struct ParkedRecord {
  const SourceMessage* message;
  // The database that the record is to land in.
  const std::string* database;
  // Which of the logs that its partition has had contained the message.
  int64_t epoch = 0;
};

class Parking {
 public:
  virtual ~Parking() = default;
  // Returns for each record, in their order, the position after it in the parking topic. OK: the
  // record is as durable as the topic is. kUnavailable: it may or may not be there; park it and all
  // later ones of its database again, which may double them. kRejected: the topic refuses a message
  // of that size. Waits for the answers, some 10 s at most.
  virtual std::vector<Result<Position>> Park(std::span<const ParkedRecord> records,
                                             WallTime now) = 0;
};

}  // namespace tidegate::reader
