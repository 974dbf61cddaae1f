// One world from one seed: vehicles, a broker, a gateway, Kafka, a reader and a database, on clocks
// that only the world moves. It disturbs them for as long as the vehicles publish; then it heals
// everything, and all that is good must arrive within a bounded number of turns. The same seed
// gives the same world. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/broker.h"
#include "tests/simulation/fleet.h"
#include "tests/simulation/gateway.h"
#include "tests/simulation/kafka_model.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/server.h"

namespace tidegate::simulation {

struct Outcome {
  // What does not hold, for people; empty: everything holds.
  std::vector<std::string> wrong;
  // Covers everything that arrived in Kafka and in the database, in its order.
  uint64_t hash = 0;
  // Messages published, answered, landed, and faults.
  uint64_t events = 0;
  std::chrono::milliseconds simulated{0};
};

class World {
 public:
  explicit World(const Plan& plan);
  Outcome Run();

 private:
  // A fault that has a beginning and an end.
  struct Ongoing {
    bool link_down = false;
    bool database_down = false;
    uint64_t turns_left = 0;
  };

  void Turn();
  void Disturb();
  void Begin(Fault fault);
  void Heal();
  bool Settled() const;
  // In a world without faults each good record arrives within its bound.
  void OnLanded(const reader::Document& document);
  uint64_t Hash() const;

  const Plan plan_;
  Random random_;
  Broker broker_;
  Fleet fleet_;
  KafkaModel kafka_;
  Gateway gateway_;
  Server server_;
  // The right time, and the time since the world began.
  WallTime now_ = FakeClock().Now();
  BootTime since_begin_{0};
  Ongoing ongoing_;
  uint64_t events_ = 0;
  Outcome outcome_;
};

}  // namespace tidegate::simulation
