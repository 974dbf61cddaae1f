#include "tests/simulation/gateway.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/rules/rules.h"

namespace tidegate::simulation {

namespace {

const Input kInput{.name = "fleet", .tenant = {}, .asset = {}};

std::vector<Rule> Rules() {
  return {ParseRule(kRule, kRuleText).value()};
}

Log NewLog() {
  if (std::getenv("TIDEGATE_SIMULATION_LOG") != nullptr) return Log(LogLevel::kInfo);
  return Log(LogLevel::kError, [](LogLevel, std::string_view) {});
}

// Disks of worlds that exist at once must not share a name.
std::string DiskName() {
  static int count = 0;
  return fmt::format("simulation-{}", ++count);
}

}  // namespace

Gateway::Agent::Agent(Gateway& gateway, std::unique_ptr<Store> opened)
    : loop(gateway.clock_),
      store(std::move(opened)),
      forwarder(*store, transport, loop, gateway.clock_, gateway.log_, *gateway.metrics_,
                gateway.plan_.forwarder),
      pipeline(*store, loop, gateway.clock_, gateway.log_, *gateway.metrics_, Rules(),
               gateway.plan_.pipeline),
      driver(gateway.broker_) {
  pipeline.Restore();
  pipeline.OnStored([this](Seq, const AppendRequest&) { forwarder.OnStored(); });
  Inbox& inbox = pipeline.AddInput(kInput, &driver);
  CHECK(driver.Start(loop, inbox).ok(), "the driver of the world starts");
}

Gateway::Gateway(const Plan& plan, Broker& broker)
    : plan_(plan), broker_(broker), disk_(DiskName(), plan.seed), log_(NewLog()) {}

Gateway::~Gateway() = default;

void Gateway::Start() {
  if (agent_) return;
  metrics_ = std::make_unique<Metrics>();
  SqliteStore::Options options = plan_.store;
  options.path = folder_.File("queue.db");
  options.vfs = disk_.name();
  auto store = SqliteStore::Open(std::move(options), clock_, log_, *metrics_);
  if (!store.ok()) {
    CHECK(store.error().retryable(), "the store of a world can be opened, or may be later");
    return;
  }
  agent_ = std::make_unique<Agent>(*this, std::move(store).value());
}

void Gateway::Kill() {
  agent_.reset();
}

void Gateway::CutPower(uint64_t seed) {
  disk_.CutPower();
  agent_.reset();
  disk_.RestorePower(seed);
  clock_.Reboot();
}

void Gateway::SetClock(std::chrono::milliseconds step) {
  clock_.StepWall(step);
  if (agent_) agent_->forwarder.OnClockSet(step.count() < 0);
}

void Gateway::Turn(std::chrono::nanoseconds duration) {
  if (!agent_) {
    clock_.Advance(duration);
    return Start();
  }
  agent_->driver.Turn();
  agent_->loop.Advance(duration);
  agent_->loop.EndTurn();
}

bool Gateway::drained() const {
  return agent_ && agent_->pipeline.pending_records() == 0 && agent_->forwarder.Idle() &&
         agent_->store->Usage().total_records() == 0;
}

std::string Gateway::Waiting() const {
  if (!agent_) return "the agent does not run";
  const StoreUsage usage = agent_->store->Usage();
  return fmt::format(
      "{} records pending{}, {} in the store, {} in the transport, {} with the broker; driver: {}; "
      "next timer {} ns",
      agent_->pipeline.pending_records(), agent_->pipeline.blocked() ? " (commits fail)" : "",
      usage.total_records(), agent_->transport.pending().size(), broker_.waiting(),
      agent_->driver.Waiting(),
      agent_->loop.NextTimer().value_or(std::chrono::nanoseconds(-1)).count());
}

}  // namespace tidegate::simulation
