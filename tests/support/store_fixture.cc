#include "tests/support/store_fixture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "core/time_format.h"

namespace tidegate {

TempDir::TempDir() {
  const bool in_memory =
      std::getenv("TMPDIR") == nullptr && std::filesystem::is_directory("/dev/shm");
  const std::filesystem::path parent =
      in_memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
  std::string pattern = (parent / "tidegate-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

FleetSource::FleetSource(uint64_t seed, size_t assets) : random_(seed) {
  for (size_t i = 0; i < assets; ++i) {
    vehicles_.push_back({52.5 + Step(0.5), 13.4 + Step(0.5), 50 + Step(30), 60 + Step(30),
                         85 + Step(8), 10'000 + random_() % 200'000});
  }
}

std::vector<Record> FleetSource::Take(size_t count, RecordClass record_class,
                                      const std::string& tenant) {
  std::vector<Record> records;
  for (size_t i = 0; i < count; ++i) {
    const size_t asset = next_++ % vehicles_.size();
    Vehicle& vehicle = vehicles_[asset];
    vehicle.latitude += Step(0.0005);
    vehicle.longitude += Step(0.0005);
    vehicle.speed = std::clamp(vehicle.speed + Step(3), 0.0, 120.0);
    vehicle.fuel = std::max(0.0, vehicle.fuel - 0.01);
    vehicle.temperature += Step(0.3);
    vehicle.odometer += 1;
    time_ += std::chrono::milliseconds(10);
    const std::string name = fmt::format("truck-{:04}", asset);
    records.push_back(MakeRecord(
        fmt::format(
            R"({{"tenant_id":"{}","asset_id":"{}","driver_id":"drv-{:03}","driver_name":"Driver {}",)"
            R"("timestamp":"{}","location":{{"latitude":{:.6f},"longitude":{:.6f}}},"status":"moving",)"
            R"("additional_data":{{"speed_kph":{:.1f},"fuel_percent":{:.1f},"temperature_c":{:.1f},)"
            R"("odometer_km":{},"engine_on":true}}}})",
            tenant, name, asset % 37, asset % 37, FormatTime(time_), vehicle.latitude,
            vehicle.longitude, vehicle.speed, vehicle.fuel, vehicle.temperature, vehicle.odometer),
        record_class, tenant, name));
    records.back().time = time_;
    records.back().time_source = TimeSource::kSource;
    records.back().clock_synced = true;
  }
  return records;
}

Record MakeRecord(std::string value, RecordClass record_class, std::string tenant,
                  std::string asset) {
  Record record;
  record.record_class = record_class;
  record.tenant = std::move(tenant);
  record.asset = std::move(asset);
  record.value = std::move(value);
  return record;
}

SqliteStoreFixture::SqliteStoreFixture()
    : log(LogLevel::kDebug,
          [this](LogLevel, std::string_view line) { log_lines.emplace_back(line); }) {
  options.path = dir.File("queue.db");
  options.gateway = "gw-1";
}

Result<std::unique_ptr<SqliteStore>> SqliteStoreFixture::TryOpen() {
  Close();
  metrics = std::make_unique<Metrics>();
  auto store = SqliteStore::Open(options, clock, log, *metrics);
  if (store.ok() && !leaves_salvage) FinishSalvage(**store);
  return store;
}

SqliteStore& SqliteStoreFixture::Reopen() {
  auto store = TryOpen();
  if (!store.ok()) throw std::runtime_error(store.error().message);
  store_ = std::move(*store);
  return *store_;
}

uint64_t SqliteStoreFixture::FileBytes() const {
  uint64_t bytes = 0;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(options.path + suffix, missing);
    if (!missing) bytes += size;
  }
  return bytes;
}

Result<Seq> AppendBatch(Store& store, std::span<const Record> records, const ClockStamp& stamp) {
  AppendRequest request;
  request.batches.push_back({records.front().record_class, records});
  request.stamp = stamp;
  return store.Append(request);
}

uint64_t FinishSalvage(SqliteStore& store) {
  for (uint64_t steps = 0; steps < 1'000'000; ++steps) {
    if (!store.StepSalvage(BootTime::max())) return steps;
  }
  throw std::runtime_error("a salvage does not end");
}

std::vector<Batch> ReadAll(Store& store) {
  std::vector<Batch> batches;
  Cursor cursor;
  for (;;) {
    auto next = store.Next(cursor);
    if (!next.ok()) throw std::runtime_error(next.error().message);
    if (!*next) return batches;
    cursor.last[static_cast<size_t>((*next)->record_class)] = (*next)->first_seq;
    batches.push_back(std::move(**next));
  }
}

}  // namespace tidegate
