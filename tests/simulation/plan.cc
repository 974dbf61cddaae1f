#include "tests/simulation/plan.h"

#include <algorithm>

namespace tidegate::simulation {

using std::chrono::milliseconds;

std::string NeighbourName(Neighbour neighbour) {
  switch (neighbour) {
    case Neighbour::kClockAhead:
      return "clock-ahead";
    case Neighbour::kClockLate:
      return "clock-late";
    case Neighbour::kFlood:
      return "flood";
    case Neighbour::kHuge:
      return "huge";
    case Neighbour::kDeep:
      return "deep";
    case Neighbour::kMalformed:
      return "malformed";
    case Neighbour::kManyMembers:
      return "many-members";
    case Neighbour::kManyElements:
      return "many-elements";
    case Neighbour::kForgedIds:
      return "forged-ids";
    case Neighbour::kOtherTenant:
      return "other-tenant";
    case Neighbour::kAbsentTopic:
      return "absent-topic";
    case Neighbour::kStranger:
      return "stranger";
    case Neighbour::kDeadDatabase:
      return "dead-database";
    case Neighbour::kSlowPartition:
      return "slow-partition";
  }
  return "unknown";
}

std::string FaultName(Fault fault) {
  switch (fault) {
    case Fault::kKill:
      return "kill";
    case Fault::kPowerCut:
      return "power-cut";
    case Fault::kDiskError:
      return "disk-error";
    case Fault::kLinkCut:
      return "link-cut";
    case Fault::kLostAnswer:
      return "lost-answer";
    case Fault::kClockStep:
      return "clock-step";
    case Fault::kDatabaseOutage:
      return "database-outage";
    case Fault::kDatabaseAnswer:
      return "database-answer";
    case Fault::kReaderKill:
      return "reader-kill";
    case Fault::kRebalance:
      return "rebalance";
    case Fault::kMqttCut:
      return "mqtt-cut";
  }
  return "unknown";
}

namespace {

// Whether a list of names with spaces has that one.
bool IsNamed(std::string_view names, std::string_view name) {
  return (" " + std::string(names) + " ").find(" " + std::string(name) + " ") != std::string::npos;
}

void DrawAgent(Plan& plan, Random& random) {
  plan.pipeline.commit_interval = milliseconds(random.Between(20, 1'000));
  plan.pipeline.commit_records = random.Between(1, 200);
  if (random.Coin()) plan.pipeline.pending_bytes = random.Between(64, 1'024) * 1'024;
  plan.pipeline.tenants = {"acme", "globex", "bad", "absent"};
  plan.store.gateway = "gw";
  plan.store.max_bytes = 32ull << 20;
  plan.store.max_replay_records = random.Between(1, 500);
  plan.store.max_replay_batches = random.Between(1, 64);
  plan.forwarder.gateway = "gw";
  plan.forwarder.topics.heartbeat = kHeartbeatTopic;
  plan.forwarder.linger = milliseconds(random.Coin() ? 0 : random.Between(1, 500));
  plan.forwarder.live_share_percent = static_cast<unsigned>(random.Below(101));
  plan.forwarder.max_in_flight_records = random.Between(1, 300);
  plan.forwarder.max_in_flight_bytes = random.Between(64, 2'048) * 1'024;
  plan.forwarder.max_tracked_records = random.Between(200, 5'000);
  plan.forwarder.retry = {milliseconds(100), milliseconds(random.Between(200, 3'000))};
  plan.forwarder.seed = random.Next();
}

void DrawReader(Plan& plan, Random& random) {
  plan.worker.batch_records = random.Between(1, 300);
  plan.worker.batch_interval = milliseconds(random.Between(10, 1'000));
  plan.worker.backoff = {milliseconds(100), milliseconds(1'000)};
  plan.projector.batch_records = random.Between(1, 200);
  plan.projector.batch_interval = milliseconds(random.Between(10, 1'000));
  plan.projector.backoff = {milliseconds(100), milliseconds(1'000)};
  plan.projector.folder.cached = random.Between(2, 500);
  plan.unparker.batch_records = random.Between(1, 200);
  plan.unparker.turn = milliseconds(random.Between(100, 2'000));
}

// A bound in time means something only where the options allow the load.
void MakeRoomy(Plan& plan) {
  plan.publish_rate = std::min(plan.publish_rate, 200u);
  plan.window = std::max<size_t>(plan.window, 100);
  plan.request_records = std::max<size_t>(plan.request_records, 100);
  plan.pipeline.commit_interval = std::min(plan.pipeline.commit_interval, milliseconds(200));
  plan.pipeline.commit_records = std::max<size_t>(plan.pipeline.commit_records, 100);
  plan.pipeline.pending_bytes = Pipeline::Options().pending_bytes;
  plan.forwarder.max_in_flight_records =
      std::max<size_t>(plan.forwarder.max_in_flight_records, 200);
  plan.forwarder.max_in_flight_bytes = Forwarder::Options().max_in_flight_bytes;
  plan.forwarder.max_tracked_records = Forwarder::Options().max_tracked_records;
  plan.worker.batch_records = std::max<size_t>(plan.worker.batch_records, 100);
  plan.worker.batch_interval = std::min(plan.worker.batch_interval, milliseconds(500));
}

}  // namespace

Plan Plan::Draw(uint64_t seed) {
  Random random(seed);
  Plan plan;
  plan.seed = seed;
  for (Neighbour neighbour : kNeighbours)
    if (random.Chance(250)) plan.neighbours.insert(neighbour);
  // A third of the worlds has no fault: there each good record has its bound.
  if (!random.Chance(333)) {
    for (Fault fault : kFaults)
      if (random.Chance(350)) plan.faults.insert(fault);
  }
  plan.fault_rate = static_cast<unsigned>(random.Between(2, 40));
  plan.vehicles = random.Between(2, 6);
  plan.messages = static_cast<int64_t>(random.Between(20, 200));
  plan.publish_rate = static_cast<unsigned>(random.Between(30, 600));
  plan.turn = milliseconds(random.Between(5, 100));
  plan.window = random.Between(1, 200);
  plan.partitions = static_cast<int32_t>(random.Between(1, 4));
  plan.request_records = random.Between(1, 200);
  DrawAgent(plan, random);
  DrawReader(plan, random);
  plan.database_per_tenant = plan.Has(Neighbour::kDeadDatabase) || random.Coin();
  if (plan.faults.empty()) MakeRoomy(plan);
  return plan;
}

void Plan::Without(std::string_view names) {
  std::erase_if(neighbours, [&](Neighbour one) { return IsNamed(names, NeighbourName(one)); });
  std::erase_if(faults, [&](Fault one) { return IsNamed(names, FaultName(one)); });
}

std::string Plan::Text() const {
  std::string text =
      "seed " + std::to_string(seed) + ", " + std::to_string(vehicles) + " vehicles; faults:";
  for (Fault fault : faults) text += " " + FaultName(fault);
  text += "; neighbours:";
  for (Neighbour neighbour : neighbours) text += " " + NeighbourName(neighbour);
  if (database_per_tenant) text += "; a database for each tenant";
  return text;
}

}  // namespace tidegate::simulation
