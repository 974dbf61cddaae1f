// The vehicles of a simulated world: good ones, whose every message is remembered, and a bad one of
// each kind that the plan has. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "tests/simulation/broker.h"
#include "tests/simulation/plan.h"

namespace tidegate::simulation {

// A message of a good vehicle.
struct Published {
  int64_t number;
  double temperature;
  // When it was published, by the clock of the world, which nobody sets.
  BootTime at;
};

struct Vehicle {
  std::string tenant;
  std::string asset;
  // Its payloads carry their time, or an event id.
  bool dated;
  bool named;
  std::vector<Published> published;
};

class Fleet {
 public:
  Fleet(const Plan& plan, uint64_t seed);

  // Publishes what happens in one turn of the world at that time.
  void Turn(Broker& broker, WallTime now, BootTime at);
  // Every good vehicle has published all of its messages.
  bool done() const;
  const std::vector<Vehicle>& vehicles() const { return vehicles_; }
  // How many messages the bad vehicle has published.
  int64_t published(Neighbour neighbour) const {
    const auto found = bad_numbers_.find(neighbour);
    return found == bad_numbers_.end() ? 0 : found->second;
  }

 private:
  void PublishGood(Broker& broker, Vehicle& vehicle, WallTime now, BootTime at);
  void PublishBad(Broker& broker, Neighbour neighbour, WallTime now);
  std::string BadPayload(Neighbour neighbour, WallTime now);

  const Plan& plan_;
  Random random_;
  std::vector<Vehicle> vehicles_;
  std::map<Neighbour, int64_t> bad_numbers_;
};

// The tenant of the bad vehicles that are allowed to publish.
inline constexpr const char* kBadTenant = "bad";

}  // namespace tidegate::simulation
