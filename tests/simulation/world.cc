#include "tests/simulation/world.h"

#include <fmt/format.h>

#include <utility>

#include "tests/simulation/oracle.h"

namespace tidegate::simulation {

namespace {

// Within this time everything must have arrived after everything has healed.
constexpr auto kTimeToSettle = std::chrono::minutes(30);
constexpr size_t kMostProblems = 10;

// 64-bit FNV-1a.
void Mix(uint64_t& hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
}

}  // namespace

World::World(const Plan& plan)
    : plan_(plan),
      random_(plan.seed ^ 0x5eed),
      broker_(plan_.window),
      fleet_(plan_, random_.Next()),
      kafka_(plan_, random_.Next()),
      gateway_(plan_, broker_),
      server_(plan_, kafka_, random_.Next()) {
  server_.landing().OnLanded([this](const reader::Document& document) { OnLanded(document); });
  gateway_.Start();
}

Outcome World::Run() {
  while (!fleet_.done()) {
    Disturb();
    fleet_.Turn(broker_, now_, since_begin_);
    Turn();
  }
  Heal();
  const BootTime healed = since_begin_;
  while (since_begin_ < healed + kTimeToSettle && !Settled()) Turn();
  if (!Settled())
    outcome_.wrong.push_back(
        fmt::format("not everything has arrived half an hour after all has healed: "
                    "{}; {}",
                    gateway_.Waiting(), server_.Waiting()));
  for (std::string& problem : Oracle(plan_, fleet_).CheckAll(server_.database(), kafka_.landing()))
    outcome_.wrong.push_back(std::move(problem));
  if (outcome_.wrong.size() > kMostProblems) outcome_.wrong.resize(kMostProblems);
  outcome_.hash = Hash();
  outcome_.events = events_ + server_.landing().landed() + server_.landing().duplicates();
  outcome_.simulated = std::chrono::floor<std::chrono::milliseconds>(since_begin_);
  return std::move(outcome_);
}

void World::Turn() {
  now_ += plan_.turn;
  since_begin_ += plan_.turn;
  gateway_.Turn(plan_.turn);
  if (gateway_.running()) {
    ScriptedTransport& transport = gateway_.transport();
    if (kafka_.absent() && plan_.Has(Neighbour::kAbsentTopic)) transport.RefuseTopic(kAbsentTopic);
    if (transport.Connected() == ongoing_.link_down) transport.SetConnected(!ongoing_.link_down);
    events_ += transport.pending().size();
    if (!ongoing_.link_down) kafka_.Answer(transport, now_);
  }
  server_.Turn(plan_.turn);
  if (ongoing_.turns_left > 0 && --ongoing_.turns_left == 0) {
    ongoing_ = {};
    server_.SetDatabaseDown(false);
  }
}

void World::Disturb() {
  for (Fault fault : plan_.faults)
    if (random_.Chance(plan_.fault_rate)) Begin(fault);
}

void World::Begin(Fault fault) {
  ++events_;
  switch (fault) {
    case Fault::kKill:
      return gateway_.Kill();
    case Fault::kPowerCut:
      return gateway_.CutPower(random_.Next());
    case Fault::kDiskError:
      return gateway_.disk().FailNth(random_.Between(1, 20));
    case Fault::kLinkCut:
      ongoing_.link_down = true;
      ongoing_.turns_left = random_.Between(1, 200);
      return;
    case Fault::kLostAnswer:
      return kafka_.LoseAnswers(random_.Coin());
    case Fault::kClockStep:
      return gateway_.SetClock(std::chrono::minutes(random_.Below(100)) - std::chrono::minutes(50));
    case Fault::kDatabaseOutage:
      server_.SetDatabaseDown(true);
      ongoing_.turns_left = random_.Between(1, 200);
      return;
    case Fault::kDatabaseAnswer:
      return server_.LoseDatabaseAnswer();
    case Fault::kReaderKill:
      if (plan_.database_per_tenant && random_.Chance(300)) return server_.KillUnparker();
      return random_.Coin() ? server_.KillWorker() : server_.KillProjector();
    case Fault::kRebalance:
      return server_.Rebalance();
    case Fault::kMqttCut:
      return gateway_.LoseMqttConnection();
  }
}

void World::Heal() {
  ongoing_ = {};
  gateway_.disk().Heal();
  gateway_.SetClock(
      std::chrono::duration_cast<std::chrono::milliseconds>(now_ - gateway_.clock().Now()));
  kafka_.LoseAnswers(false);
  kafka_.CreateAbsentTopic();
  kafka_.EndSlowness();
  server_.SetDatabaseDown(false);
  server_.ReviveDeadDatabase();
  if (gateway_.running()) gateway_.transport().AllowTopic(kAbsentTopic);
}

bool World::Settled() const {
  return broker_.empty() && gateway_.drained() && server_.caught_up();
}

void World::OnLanded(const reader::Document& document) {
  if (!plan_.faults.empty()) return;
  for (const Vehicle& vehicle : fleet_.vehicles()) {
    if (vehicle.tenant != document.tenant || vehicle.asset != document.asset) continue;
    const auto number = static_cast<size_t>(NumberOf(document.value.root()));
    if (number >= vehicle.published.size()) return;
    const auto took = since_begin_ - vehicle.published[number].at;
    if (took > plan_.bound)
      outcome_.wrong.push_back(
          fmt::format("message {} of {} took {} ms", number, vehicle.asset,
                      std::chrono::floor<std::chrono::milliseconds>(took).count()));
  }
}

uint64_t World::Hash() const {
  uint64_t hash = 0xcbf29ce484222325;
  // Ids contain the store's epoch, which is drawn by the system.
  for (const auto& [partition, messages] : const_cast<World*>(this)->kafka_.landing().partitions)
    for (const auto& message : messages) Mix(hash, *message.value);
  Mix(hash, fmt::format("{} {}", server_.landing().landed(), server_.landing().duplicates()));
  return hash;
}

}  // namespace tidegate::simulation
