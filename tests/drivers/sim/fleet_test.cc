#include "drivers/sim/fleet.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "core/json/json.h"
#include "core/time_format.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kStart = std::chrono::sys_days{std::chrono::year{2025} / 6 / 23} + 8h;

// FNV-1a over `count` payloads, the fleet's time moving on by `step` with each.
uint64_t Hash(FleetOptions options, int count, std::chrono::milliseconds step) {
  Fleet fleet(std::move(options));
  uint64_t hash = 0xcbf29ce484222325U;
  WallTime now = kStart;
  for (int i = 0; i < count; ++i, now += step) {
    for (char c : fleet.Next(now).payload) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
  }
  return hash;
}

struct Reading {
  std::string asset;
  std::string tenant;
  WallTime time;
  double latitude, longitude, temperature, speed, fuel, odometer;
};

Reading Read(const Heartbeat& heartbeat) {
  const auto document = json::Document::Parse(heartbeat.payload);
  EXPECT_TRUE(document.ok()) << heartbeat.payload;
  const json::Value root = document->root();
  const json::Value location = *root.Find("location");
  const json::Value data = *root.Find("additional_data");
  const auto number = [](json::Value object, std::string_view name) {
    return object.Find(name)->as_number();
  };
  return {std::string(root.Find("asset_id")->as_string()),
          std::string(root.Find("tenant_id")->as_string()),
          *ParseTime(root.Find("timestamp")->as_string()),
          number(location, "latitude"),
          number(location, "longitude"),
          number(data, "temperature_c"),
          number(data, "speed_kmh"),
          number(data, "fuel_pct"),
          number(data, "odometer_km")};
}

TEST(FleetTest, TheSameSeedGivesTheSameBytes) {
  EXPECT_EQ(Hash({}, 2'000, 100ms), 11387773452387556230u);
  EXPECT_EQ(Hash({}, 2'000, 100ms), Hash({}, 2'000, 100ms));
  EXPECT_NE(Hash({.seed = 2}, 2'000, 100ms), Hash({}, 2'000, 100ms));
}

TEST(FleetTest, WritesTheHeartbeatThatFleetsExchange) {
  Fleet fleet({.assets = 2, .tenants = {"acme"}});
  EXPECT_EQ(fleet.Next(kStart).payload,
            R"({"tenant_id":"acme","asset_id":"truck-0001","driver_id":"drv-602",)"
            R"("driver_name":"Amira Z.","timestamp":"2025-06-23T08:00:00.000Z",)"
            R"("location":{"latitude":48.11361,"longitude":11.52252},"status":"idle",)"
            R"("additional_data":{"temperature_c":42.2,"speed_kmh":0.0,"fuel_pct":36.3,)"
            R"("odometer_km":209202.5,"heading_deg":326}})");
}

TEST(FleetTest, NoTwoPayloadsOfAnAssetHaveTheSameTime) {
  Fleet fleet({.assets = 3});
  std::map<std::string, WallTime> last;
  // Time that stands still, steps back and goes on.
  for (int i = 0; i < 3'000; ++i) {
    const WallTime now = kStart + (i < 1'000 ? 0ms : i < 2'000 ? -1h : i * 1ms);
    const Reading reading = Read(fleet.Next(now));
    const auto [at, fresh] = last.emplace(reading.asset, reading.time);
    if (!fresh) {
      EXPECT_GT(reading.time, at->second);
    }
    at->second = reading.time;
  }
  EXPECT_EQ(last.size(), 3u);
}

TEST(FleetTest, PayloadsHaveTheSizeOfRealOnes) {
  Fleet fleet({});
  size_t total = 0;
  for (int i = 0; i < 2'000; ++i) {
    const size_t size = fleet.Next(kStart + i * 100ms).payload.size();
    EXPECT_GT(size, 270u);
    EXPECT_LT(size, 350u);
    total += size;
  }
  EXPECT_NEAR(static_cast<double>(total) / 2'000, 310, 10);
}

TEST(FleetTest, AHundredAssetsCrossTheRuleSixTimesAMinute) {
  Fleet fleet({});
  std::map<std::string, bool> raised;
  int raises = 0;
  int clears = 0;
  constexpr int kMinutes = 10;
  for (int i = 0; i < kMinutes * 60 * 10; ++i) {
    const Reading reading = Read(fleet.Next(kStart + i * 100ms));
    bool& is = raised[reading.asset];
    if (!is && reading.temperature > 50) is = true, ++raises;
    if (is && reading.temperature < 48) is = false, ++clears;
  }
  EXPECT_NEAR(raises, 6 * kMinutes, 9);
  EXPECT_NEAR(clears, raises, 9);
}

TEST(FleetTest, VehiclesDrivePlausibly) {
  Fleet fleet({.assets = 10, .seed = 7});
  std::map<std::string, Reading> last;
  std::map<std::string, Reading> first;
  for (int i = 0; i < 10'000; ++i) {
    const Reading reading = Read(fleet.Next(kStart + i * 100ms));
    EXPECT_GE(reading.speed, 0);
    EXPECT_LE(reading.speed, 95);
    EXPECT_GE(reading.fuel, 0);
    EXPECT_LE(reading.fuel, 100);
    first.emplace(reading.asset, reading);
    if (const auto before = last.find(reading.asset); before != last.end()) {
      const double km_north = (reading.latitude - before->second.latitude) * 111.2;
      // One second at 95 km/h is 26 m.
      EXPECT_LT(std::fabs(km_north), 0.03);
      EXPECT_GE(reading.odometer, before->second.odometer);
    }
    last.insert_or_assign(reading.asset, reading);
  }
  for (const auto& [asset, reading] : last) {
    const double km = reading.odometer - first.at(asset).odometer;
    EXPECT_GT(km, 1) << asset;
    EXPECT_LT(km, 27) << asset;
    EXPECT_LT(std::hypot(reading.latitude - 48.1372, (reading.longitude - 11.5755) * 0.667), 0.25);
  }
}

TEST(FleetTest, AssetsBelongToTheTenantsInTurn) {
  Fleet fleet({.assets = 5, .tenants = {"a", "b"}});
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5; ++i) {
      const Heartbeat heartbeat = fleet.Next(kStart);
      EXPECT_EQ(heartbeat.tenant, i % 2 == 0 ? "a" : "b");
      EXPECT_EQ(Read(heartbeat).tenant, heartbeat.tenant);
      EXPECT_EQ(heartbeat.asset, "truck-000" + std::to_string(i + 1));
      EXPECT_EQ(Read(heartbeat).asset, heartbeat.asset);
    }
  }
}

}  // namespace
}  // namespace tidegate
