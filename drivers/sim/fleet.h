// Simulates a fleet that drives plausibly: the position follows speed and heading, fuel and
// odometer follow the distance, and from time to time an engine runs hot. Deterministic: the same
// options and times give the same bytes. Pure; one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"

namespace tidegate {

struct FleetOptions {
  // At least 1. Each costs about 150 bytes.
  size_t assets = 100;
  // At least one; assets belong to them in turn. Each passes IsTenantName().
  std::vector<std::string> tenants{"demo"};
  uint64_t seed = 1;
};

// One vehicle's message. The views are valid until the next call of Fleet::Next().
struct Heartbeat {
  std::string_view tenant;
  std::string_view asset;
  std::string_view payload;  // JSON, about 310 bytes.
};

class Fleet {
 public:
  // In this time each asset's temperature_c climbs over 50 once and is otherwise below 48. The
  // assets do so in turn: 100 of them raise a rule "temperature_c > 50 clear 48" six times a
  // minute.
  static constexpr std::chrono::seconds kHeatPeriod{1000};

  // REQUIRES: at least one asset and one tenant.
  explicit Fleet(FleetOptions options);

  // Returns the heartbeat of the next asset, in turn, dated `now`, or a millisecond after the
  // asset's last one if that is later: no two payloads are equal.
  Heartbeat Next(WallTime now);

  size_t size() const { return vehicles_.size(); }

 private:
  enum class Activity { kDriving, kIdle, kRefuelling };

  struct Vehicle {
    uint64_t random;
    std::optional<WallTime> last;  // When its last heartbeat was dated.
    double latitude;
    double longitude;
    double heading_deg;
    double speed_kmh = 0;
    double target_kmh = 0;
    double activity_s = 0;  // Seconds left of the activity.
    double fuel_pct;
    double odometer_km;
    double usual_c;  // Engine temperature outside and at the height of its climb.
    double peak_c;
    std::chrono::milliseconds heat_offset;
    uint32_t driver;
    Activity activity = Activity::kIdle;
  };

  Vehicle MakeVehicle(size_t index);
  void Drive(Vehicle& vehicle, double seconds, size_t tenant);
  static void ChooseActivity(Vehicle& vehicle);
  static double Temperature(Vehicle& vehicle, WallTime time);
  void Write(Vehicle& vehicle, WallTime time);

  FleetOptions options_;
  std::vector<Vehicle> vehicles_;
  size_t next_ = 0;
  std::string asset_;
  std::string payload_;
};

}  // namespace tidegate
