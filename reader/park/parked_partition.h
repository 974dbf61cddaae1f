// How far one partition of the parking topic has landed: everything before the forward position
// has, except the records of the databases that wait, each from its own cursor on. A turn goes back
// to the least cursor of the databases that are due, and lands theirs up to the forward position.
// So a database that stays unreachable holds up no other one's parked records. One thread.
//
// Invariants, each guarded by a CHECK: a cursor is before the forward position (Failed); databases
// that have a turn wait (CheckTurn).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/clock.h"

namespace tidegate::reader {

class ParkedPartition {
 public:
  struct Options {
    // How long a database that fails waits for its next turn: at first, and after many failures.
    std::chrono::milliseconds first_wait{1'000};
    std::chrono::milliseconds longest_wait{30'000};
  };

  explicit ParkedPartition(Options options) : options_(options) {}

  // A message was delivered. Returns true if its record is to be landed now.
  bool Deliver(int64_t offset, const std::string& database);
  // The record at that offset has landed, and so has every earlier one of the database.
  void Landed(const std::string& database, int64_t offset);
  // The database does not accept the record at that offset, and none of its later ones.
  void Failed(const std::string& database, int64_t offset, const std::string& reason, BootTime now);
  // Everything before that offset is deleted from the topic. Returns how many offsets of waiting
  // databases are gone; 0: none of them.
  int64_t Deleted(int64_t earliest);

  // The topic's log is another one, in which offsets mean other messages: begins anew. Returns how
  // many offsets of waiting databases are gone; 0: none of them.
  int64_t BeginAnew();

  // Begins a turn of the databases that are due. Returns the offset at which to read; no value:
  // none is due.
  std::optional<int64_t> BeginTurn(BootTime now);
  bool in_turn() const { return in_turn_; }
  // Every database that has a turn has failed, or the forward position is reached.
  bool TurnIsOver() const { return in_turn_ && (turn_.empty() || reached_); }
  // Ends the turn. Returns the forward position if reading has to continue there; no value: it does
  // already.
  std::optional<int64_t> EndTurn();

  bool Waits(const std::string& database) const { return waiting_.contains(database); }
  // Why each database waits, for people.
  std::map<std::string, std::string> reasons() const;
  // The forward position; no value before the first message.
  std::optional<int64_t> forward() const { return next_; }
  // Everything before it has landed; no value before the first message.
  std::optional<int64_t> position() const;

 private:
  struct Waiting {
    // The first record that has not landed.
    int64_t cursor;
    std::string reason = {};
    // Before its next turn, after the last failure.
    std::chrono::milliseconds wait{0};
    BootTime retry_at{};
  };

  void CheckTurn() const;

  const Options options_;
  std::optional<int64_t> next_;
  std::map<std::string, Waiting> waiting_;
  bool in_turn_ = false;
  // The databases that have the turn and have not failed in it.
  std::set<std::string> turn_;
  // The turn has reached the forward position.
  bool reached_ = false;
};

}  // namespace tidegate::reader
