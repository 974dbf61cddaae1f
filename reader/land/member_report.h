// What a member tells the status board: at once what has changed, else once a second. One thread.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "core/clock.h"
#include "core/result.h"
#include "reader/consume/source.h"
#include "reader/land/status_board.h"

namespace tidegate::reader {

class MemberReport {
 public:
  // `place` is the member's on the board, which must outlive the report, as the clock must.
  MemberReport(StatusBoard& board, const Clock& clock, size_t place, std::string name,
               MemberRole role)
      : board_(board), clock_(clock), place_(place) {
    state_.name = std::move(name);
    state_.role = role;
  }

  WorkerState& state() { return state_; }
  const std::string& name() const { return state_.name; }

  void Post(size_t in_hand, bool changed);
  // The member can never go on; returns why.
  Error Fail(const Error& error, size_t in_hand);
  void Stopped(size_t in_hand);

  void SetLag(std::span<const PartitionLag> lag, bool brokers_up);
  // The lag of these is no longer ours to tell.
  void Forget(std::span<const Partition> partitions);

 private:
  StatusBoard& board_;
  const Clock& clock_;
  const size_t place_;
  BootTime next_{};
  WorkerState state_;
};

}  // namespace tidegate::reader
