// What one seed decides before its world begins: which faults and bad neighbours exist at all, and
// every option. Many seeds leave most of them out (swarm testing, Groce et al. 2012), because a
// fault that always happens hides what would follow without it.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "agent/pipeline/pipeline.h"
#include "reader/land/worker.h"
#include "reader/park/unparker.h"
#include "reader/project/projector.h"
#include "store/sqlite_store.h"
#include "tests/simulation/random.h"
#include "uplink/forwarder.h"

namespace tidegate::simulation {

// What a bad neighbour does wrong. Each is one vehicle, topic or tenant beside the good ones.
enum class Neighbour {
  // Its clock is hours ahead, which Kafka refuses as a timestamp.
  kClockAhead,
  // Its clock is years late.
  kClockLate,
  // It publishes many times as often as a good one.
  kFlood,
  // Its records are larger than its topic accepts.
  kHuge,
  kDeep,
  kMalformed,
  // Its payloads have thousands of members, each of them twice.
  kManyMembers,
  // Its payloads are arrays of thousands of elements that are refused.
  kManyElements,
  // It uses the event ids of a good vehicle of another tenant.
  kForgedIds,
  // Its payloads name the tenant of a good vehicle.
  kOtherTenant,
  // Its tenant's topic does not exist until everything heals.
  kAbsentTopic,
  // Its tenant is not on the allow list.
  kStranger,
  // Its tenant's database does not answer until everything heals.
  kDeadDatabase,
  // The partitions of its tenant's topic answer seldom until everything heals.
  kSlowPartition,
};
inline constexpr Neighbour kNeighbours[] = {
    Neighbour::kClockAhead,   Neighbour::kClockLate,    Neighbour::kFlood,
    Neighbour::kHuge,         Neighbour::kDeep,         Neighbour::kMalformed,
    Neighbour::kManyMembers,  Neighbour::kManyElements, Neighbour::kForgedIds,
    Neighbour::kOtherTenant,  Neighbour::kAbsentTopic,  Neighbour::kStranger,
    Neighbour::kDeadDatabase, Neighbour::kSlowPartition};
std::string NeighbourName(Neighbour neighbour);

enum class Fault {
  // The agent gets SIGKILL.
  kKill,
  // The machine loses power: what was not synced is lost, in part.
  kPowerCut,
  // A write or sync fails, once.
  kDiskError,
  // No broker answers for a while.
  kLinkCut,
  // Kafka stores messages, but its answer is lost.
  kLostAnswer,
  // The gateway's clock is set, forwards or back.
  kClockStep,
  // The database does not answer for a while.
  kDatabaseOutage,
  // A write is done, but its answer is lost.
  kDatabaseAnswer,
  // The worker or the projector ends, and another one continues at the group's offsets.
  kReaderKill,
  // A partition is revoked and assigned again.
  kRebalance,
  // The MQTT connection is lost, and acknowledgements with it.
  kMqttCut,
};
inline constexpr Fault kFaults[] = {
    Fault::kKill,       Fault::kPowerCut,  Fault::kDiskError,      Fault::kLinkCut,
    Fault::kLostAnswer, Fault::kClockStep, Fault::kDatabaseOutage, Fault::kDatabaseAnswer,
    Fault::kReaderKill, Fault::kRebalance, Fault::kMqttCut};
std::string FaultName(Fault fault);

struct Plan {
  static Plan Draw(uint64_t seed);
  // Leaves out the faults and neighbours of these names, to find what a failure needs.
  void Without(std::string_view names);
  // For people: what exists in this world.
  std::string Text() const;
  bool Has(Neighbour neighbour) const { return neighbours.contains(neighbour); }
  bool Has(Fault fault) const { return faults.contains(fault); }

  uint64_t seed = 0;
  std::set<Neighbour> neighbours;
  std::set<Fault> faults;
  // How often a fault begins, in each of a thousand turns.
  unsigned fault_rate = 0;

  size_t vehicles = 4;
  // Messages of one good vehicle.
  int64_t messages = 100;
  // How often a vehicle publishes, in each of a thousand turns.
  unsigned publish_rate = 100;
  std::chrono::milliseconds turn{50};
  // Unacknowledged messages that the MQTT broker sends at most.
  size_t window = 20;
  int32_t partitions = 3;
  bool database_per_tenant = false;
  // The most messages that Kafka answers in one turn, of a partition.
  size_t request_records = 100;

  Pipeline::Options pipeline;
  SqliteStore::Options store;
  Forwarder::Options forwarder;
  reader::Worker::Options worker;
  reader::Projector::Options projector;
  reader::Unparker::Options unparker;

  // In a world without faults every good record arrives within this time, whatever the neighbours
  // do.
  std::chrono::milliseconds bound{15'000};
};

// Names that the rest of the world needs, too.
inline constexpr const char* kRule = "hot";
inline constexpr const char* kRuleText = "temperature_c > 50 clear 48 severity critical";
inline constexpr const char* kHeartbeatTopic = "fleet.{tenant}";

}  // namespace tidegate::simulation
