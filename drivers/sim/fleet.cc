#include "drivers/sim/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numbers>
#include <utility>

#include "core/check.h"
#include "core/time_format.h"

namespace tidegate {
namespace {

struct Town {
  double latitude;
  double longitude;
};
// Where the tenants' depots are.
constexpr std::array<Town, 8> kTowns{{{48.1372, 11.5755},
                                      {53.5503, 9.9937},
                                      {52.3731, 4.8925},
                                      {45.4641, 9.1896},
                                      {59.3293, 18.0686},
                                      {40.7128, -74.0060},
                                      {-33.8688, 151.2093},
                                      {-1.2864, 36.8172}}};
constexpr double kRangeDegrees = 0.2;  // Vehicles turn round when they are farther away than this.
constexpr double kKilometresPerDegree = 111.2;

constexpr std::array<std::string_view, 24> kFirstNames{
    "Maja",  "Jonas", "Amira", "Luca",  "Sofia", "Emil",  "Noor", "Pavel",
    "Ines",  "Tariq", "Greta", "Oscar", "Lena",  "Kofi",  "Mei",  "Diego",
    "Freya", "Anton", "Zara",  "Henri", "Olga",  "Samir", "Alma", "Bruno"};

// splitmix64: eight bytes of state, the same numbers everywhere, unlike the standard's
// distributions.
double Random(uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1.0p-53;
}
double Between(uint64_t& state, double low, double high) {
  return low + (high - low) * Random(state);
}

double Radians(double degrees) {
  return degrees * std::numbers::pi / 180;
}

// 0..1 over the heat period: up in 25 s, 45 s of heat, down in 30 s.
double Heat(double seconds) {
  const double ramp = seconds < 70 ? seconds / 25 : (100 - seconds) / 30;
  const double x = std::clamp(ramp, 0.0, 1.0);
  return x * x * (3 - 2 * x);
}

}  // namespace

Fleet::Fleet(FleetOptions options) : options_(std::move(options)) {
  CHECK(options_.assets > 0, "a fleet has an asset");
  CHECK(!options_.tenants.empty(), "a fleet has a tenant");
  vehicles_.reserve(options_.assets);
  for (size_t i = 0; i < options_.assets; ++i) vehicles_.push_back(MakeVehicle(i));
}

Fleet::Vehicle Fleet::MakeVehicle(size_t index) {
  uint64_t random = options_.seed * 0x2545f4914f6cdd1dU + index * 0xd1342543de82ef95U + 1;
  const Town& town = kTowns[index % options_.tenants.size() % kTowns.size()];
  Vehicle vehicle{};
  vehicle.latitude = town.latitude + Between(random, -0.1, 0.1);
  vehicle.longitude = town.longitude + Between(random, -0.1, 0.1);
  vehicle.heading_deg = Between(random, 0, 360);
  vehicle.fuel_pct = Between(random, 30, 100);
  vehicle.odometer_km = Between(random, 100'000, 400'000);
  vehicle.usual_c = Between(random, 38, 45);
  vehicle.peak_c = Between(random, 54, 59);
  // Spread evenly, so that any minute has its share of them.
  const double turn =
      (static_cast<double>(index) + Random(random)) / static_cast<double>(options_.assets);
  const std::chrono::milliseconds period = kHeatPeriod;
  vehicle.heat_offset =
      std::chrono::milliseconds(static_cast<int64_t>(turn * static_cast<double>(period.count())));
  vehicle.driver = static_cast<uint32_t>(Between(random, 0, 1000));
  vehicle.random = random;
  return vehicle;
}

Heartbeat Fleet::Next(WallTime now) {
  const size_t index = next_;
  next_ = (next_ + 1) % vehicles_.size();
  Vehicle& vehicle = vehicles_[index];
  const size_t tenant = index % options_.tenants.size();
  WallTime time = now;
  if (vehicle.last.has_value()) {
    time = std::max(now, *vehicle.last + std::chrono::milliseconds(1));
    const std::chrono::duration<double> elapsed = time - *vehicle.last;
    // After a long silence it is somewhere near, not where a minute's steps would have led.
    Drive(vehicle, std::min(elapsed.count(), 60.0), tenant);
  }
  vehicle.last = time;
  asset_ = fmt::format("truck-{:04}", index + 1);
  payload_.clear();
  fmt::format_to(std::back_inserter(payload_), R"({{"tenant_id":"{}","asset_id":"{}",)",
                 options_.tenants[tenant], asset_);
  Write(vehicle, time);
  return {options_.tenants[tenant], asset_, payload_};
}

void Fleet::ChooseActivity(Vehicle& vehicle) {
  uint64_t& random = vehicle.random;
  if (vehicle.fuel_pct < 15) {
    vehicle.activity = Activity::kRefuelling;
    vehicle.activity_s = Between(random, 120, 240);
    vehicle.fuel_pct = Between(random, 90, 100);
  } else if (Random(random) < 0.2) {
    vehicle.activity = Activity::kIdle;
    vehicle.activity_s = Between(random, 20, 120);
  } else {
    vehicle.activity = Activity::kDriving;
    vehicle.activity_s = Between(random, 20, 180);
  }
  vehicle.target_kmh = vehicle.activity == Activity::kDriving ? Between(random, 20, 95) : 0;
}

void Fleet::Drive(Vehicle& vehicle, double seconds, size_t tenant) {
  vehicle.activity_s -= seconds;
  if (vehicle.activity_s <= 0) ChooseActivity(vehicle);
  constexpr double kKmhPerSecond = 5;
  const double change = std::clamp(vehicle.target_kmh - vehicle.speed_kmh,
                                   -2 * kKmhPerSecond * seconds, kKmhPerSecond * seconds);
  vehicle.speed_kmh += change;

  const Town& town = kTowns[tenant % kTowns.size()];
  const double north = vehicle.latitude - town.latitude;
  const double narrowing = std::cos(Radians(town.latitude));
  const double east = (vehicle.longitude - town.longitude) * narrowing;
  if (north * north + east * east > kRangeDegrees * kRangeDegrees) {
    vehicle.heading_deg = std::atan2(-east, -north) * 180 / std::numbers::pi;
  }
  vehicle.heading_deg += Between(vehicle.random, -4, 4) * std::sqrt(seconds);
  vehicle.heading_deg -= std::floor(vehicle.heading_deg / 360) * 360;

  const double way_km = vehicle.speed_kmh * seconds / 3600;
  const double degrees = way_km / kKilometresPerDegree;
  vehicle.latitude += degrees * std::cos(Radians(vehicle.heading_deg));
  vehicle.longitude += degrees * std::sin(Radians(vehicle.heading_deg)) / narrowing;
  vehicle.odometer_km += way_km;
  vehicle.fuel_pct = std::max(0.0, vehicle.fuel_pct - way_km * 0.08 - seconds * 0.0002);
}

double Fleet::Temperature(Vehicle& vehicle, WallTime time) {
  const auto into = (time.time_since_epoch() + vehicle.heat_offset) % kHeatPeriod;
  const double seconds = std::chrono::duration<double>(into).count();
  const double usual = vehicle.usual_c + std::sin(seconds * std::numbers::pi / 50);
  return usual + (vehicle.peak_c - usual) * Heat(seconds) + Between(vehicle.random, -0.2, 0.2);
}

void Fleet::Write(Vehicle& vehicle, WallTime time) {
  static constexpr std::array<std::string_view, 3> kStatus{"active", "idle", "refuelling"};
  fmt::format_to(
      std::back_inserter(payload_),
      R"("driver_id":"drv-{:03}","driver_name":"{} {}.","timestamp":"{}",)"
      R"("location":{{"latitude":{:.5f},"longitude":{:.5f}}},"status":"{}",)"
      R"("additional_data":{{"temperature_c":{:.1f},"speed_kmh":{:.1f},"fuel_pct":{:.1f},)"
      R"("odometer_km":{:.1f},"heading_deg":{:.0f}}}}})",
      vehicle.driver, kFirstNames[vehicle.driver % kFirstNames.size()],
      static_cast<char>('A' + vehicle.driver / kFirstNames.size() % 26), FormatTime(time),
      vehicle.latitude, vehicle.longitude, kStatus[static_cast<size_t>(vehicle.activity)],
      Temperature(vehicle, time), vehicle.speed_kmh, vehicle.fuel_pct, vehicle.odometer_km,
      vehicle.heading_deg);
}

}  // namespace tidegate
