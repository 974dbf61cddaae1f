// Writes payloads as lines, for pipes and the exec driver.
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
  // kRejected: nobody reads any more.
  Status Step(std::chrono::milliseconds wait) override;
  PublisherCounts counts() const override { return {.acknowledged = written_}; }
  std::string state() const override { return failed_ ? "closed" : "open"; }

 private:
  std::FILE* file_;
  uint64_t buffered_ = 0;
  uint64_t written_ = 0;
  bool failed_ = false;
};

}  // namespace tidegate
