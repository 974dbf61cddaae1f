// Posts a member's state to the status board: changes at once, everything else once a second. One
// thread.
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
  // `place` is the member's place on the board. Board and clock must outlive the report.
  MemberReport(StatusBoard& board, const Clock& clock, size_t place, std::string name,
               MemberRole role)
      : board_(board), clock_(clock), place_(place) {
    state_.name = std::move(name);
    state_.role = role;
  }

  MemberState& state() { return state_; }
  const std::string& name() const { return state_.name; }

  // Posts the state if something has changed or a second has passed. `pending` is the number of
  // pending messages. REQUIRES: Stopped() was not called.
  void Post(size_t pending, bool changed);
  // Posts that the member can never continue, and returns `error`.
  Error Fail(const Error& error, size_t pending);
  // Posts that the member has ended. REQUIRES: called once.
  void Stopped(size_t pending);

  void SetLag(std::span<const PartitionLag> lag, bool brokers_up);
  // Removes the lag of partitions that are no longer assigned.
  void Forget(std::span<const Partition> partitions);

 private:
  StatusBoard& board_;
  const Clock& clock_;
  const size_t place_;
  BootTime next_{};
  MemberState state_;
  bool ended_ = false;
};

}  // namespace tidegate::reader
