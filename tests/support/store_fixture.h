// Fixtures for tests of the store: heartbeats as a fleet sends them, a clock that a test moves, a
// temporary folder, and a store in it. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "store/sqlite_store.h"
#include "store/store.h"

namespace tidegate {

// Time moves only when a test says so.
class StillClock final : public Clock {
 public:
  WallTime Now() const override { return now; }
  BootTime SinceBoot() const override { return since_boot; }
  bool Synced() const override { return true; }
  const std::string& BootId() const override { return boot_id; }

  WallTime now{std::chrono::milliseconds(1'750'638'901'000)};
  BootTime since_boot{std::chrono::hours(1)};
  std::string boot_id = "0123456789abcdef0123456789abcdef";
};

// A folder that is deleted with the object. It is in $TMPDIR, or, if that is not set, in memory
// where possible, because tests would wait for fsync.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  std::string File(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Heartbeats of about 310 bytes from `assets` vehicles that drive along.
class FleetSource {
 public:
  explicit FleetSource(uint64_t seed = 1, size_t assets = 100);
  std::vector<Record> Take(size_t count, RecordClass record_class = RecordClass::kHeartbeat,
                           const std::string& tenant = "acme");

 private:
  struct Vehicle {
    double latitude, longitude, speed, fuel, temperature;
    uint64_t odometer;
  };
  double Step(double width) {
    return std::uniform_real_distribution<double>(-width, width)(random_);
  }

  std::mt19937_64 random_;
  std::vector<Vehicle> vehicles_;
  WallTime time_{std::chrono::milliseconds(1'750'638'901'000)};
  size_t next_ = 0;
};

// Returns one record of that class with that value.
Record MakeRecord(std::string value, RecordClass record_class = RecordClass::kHeartbeat,
                  std::string tenant = "acme", std::string asset = "truck-1");

// Opens the same store again and again. Everything that it logs and counts stays here.
class SqliteStoreFixture {
 public:
  SqliteStoreFixture();

  // Opens the store and, unless `leaves_salvage`, moves everything out of a damaged file. REQUIRES:
  // it can be opened.
  SqliteStore& Reopen();
  Result<std::unique_ptr<SqliteStore>> TryOpen();
  void Close() { store_.reset(); }
  SqliteStore& store() { return *store_; }
  // Returns the size of the database, its log and the log's index.
  uint64_t FileBytes() const;

  TempDir dir;
  StillClock clock;
  std::vector<std::string> log_lines;
  Log log;
  std::unique_ptr<Metrics> metrics;
  SqliteStore::Options options;
  bool leaves_salvage = false;

 private:
  std::unique_ptr<SqliteStore> store_;
};

// Appends one batch. REQUIRES: records are not empty and of one class.
Result<Seq> AppendBatch(Store& store, std::span<const Record> records,
                        const ClockStamp& stamp = {});
// Steps a salvage to its end. Returns the number of steps; throws if it does not end.
uint64_t FinishSalvage(SqliteStore& store);
// Returns everything in the order of Next(). Throws on an error.
std::vector<Batch> ReadAll(Store& store);

}  // namespace tidegate
