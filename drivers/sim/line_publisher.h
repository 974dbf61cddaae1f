// Writes payloads as lines to a stdio stream, for pipes and the exec driver. A heartbeat counts as
// acknowledged once it is flushed. One thread.
#pragma once

#include <cstdio>
#include <string>

#include "drivers/sim/publisher.h"

namespace tidegate {

class LinePublisher final : public Publisher {
 public:
  // `file` outlives the publisher.
  explicit LinePublisher(std::FILE* file) : file_(file) {}

  bool HasRoom() const override { return !failed_; }
  void Publish(const Heartbeat& heartbeat) override;
  // kRejected: the reader has closed the other end.
  Status Step(std::chrono::milliseconds wait) override;
  PublisherCounts counts() const override { return {.acknowledged = written_}; }
  std::string state() const override { return failed_ ? "closed" : "open"; }

 private:
  std::FILE* file_;
  // Heartbeats published since the last flush.
  uint64_t buffered_ = 0;
  uint64_t written_ = 0;
  bool failed_ = false;
};

}  // namespace tidegate
