// One machine that crashes: a disk, a store on it, and the gateway that uses the store; and the
// points of a random schedule at which it crashes. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite_store.h"
#include "tests/crash/store_gateway.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/store_fixture.h"

namespace tidegate {

// What happens at a point: the power is cut at the n-th call of any kind, or the n-th call of one
// kind fails.
enum class Fault { kPower, kWrite, kSync, kOpen, kTruncate, kDelete, kRead };
inline constexpr size_t kFaultCount = 7;
std::string_view FaultName(Fault fault);

struct CrashPoint {
  uint64_t schedule = 0;
  Fault fault = Fault::kPower;
  uint64_t n = 1;

  // Returns SCHEDULE/FAULT/N.
  std::string Name() const;
  static std::optional<CrashPoint> FromName(std::string_view name);
};

class CrashMachine {
 public:
  CrashMachine(uint64_t seed, Durability durability, std::string disk = "crash");

  // Odd schedules begin at the store's limit, the others empty.
  void Fill();
  // Continues from the files of `other`. REQUIRES: `other` is switched off.
  void StartFrom(const CrashMachine& other);
  // Runs the schedule up to the fault and past it, recovers, and lets the oracle judge.
  void Run(const CrashPoint& point);
  // Returns how many points there are of each fault. REQUIRES: nothing was run yet.
  std::vector<uint64_t> CountCalls();

  StoreOracle& oracle() { return gateway_.oracle(); }
  StoreGateway& gateway() { return gateway_; }

 private:
  bool SwitchOn();
  void Work(Fault fault);
  void GoOn();
  void GoOnUntilACut(uint64_t n);
  void CutPower(uint64_t seed);
  void ExpectRecovered();

  std::mt19937_64 random_;
  FaultVfs vfs_;
  SqliteStoreFixture fixture_;
  StoreGateway gateway_;
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace tidegate
