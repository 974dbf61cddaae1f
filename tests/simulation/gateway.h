// A simulated gateway: the agent's pipeline, store and forwarder as the program composes them, on a
// clock, a disk and a broker that belong to the world. It can be killed, lose its power, and start
// again. One thread.
#pragma once

#include <memory>
#include <string>

#include "agent/pipeline/pipeline.h"
#include "core/log.h"
#include "core/metrics.h"
#include "store/sqlite_store.h"
#include "tests/simulation/broker.h"
#include "tests/simulation/plan.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/manual_loop.h"
#include "tests/support/scripted_transport.h"
#include "tests/support/store_fixture.h"
#include "uplink/forwarder.h"

namespace tidegate::simulation {

class Gateway {
 public:
  // All of them outlive the gateway.
  Gateway(const Plan& plan, Broker& broker);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Starts the agent; it tries again in later turns if the store cannot be opened.
  void Start();
  // The process ends at once; what it has in memory is lost.
  void Kill();
  // The machine goes off: what the disk has not synced is lost, in part. Ends the process, too.
  void CutPower(uint64_t seed);
  // Lets that much time pass on the gateway.
  void Turn(std::chrono::nanoseconds duration);

  bool running() const { return agent_ != nullptr; }
  // Nothing waits in the pipeline, the store or the uplink.
  bool drained() const;
  // For people: what still waits.
  std::string Waiting() const;

  FakeClock& clock() { return clock_; }
  FaultVfs& disk() { return disk_; }
  // The connection of this start. REQUIRES: running.
  ScriptedTransport& transport() { return agent_->transport; }
  void SetClock(std::chrono::milliseconds step);
  void LoseMqttConnection() {
    if (running()) agent_->driver.Reconnect();
  }

 private:
  // What one process has; the members are in the order of the flow.
  struct Agent {
    Agent(Gateway& gateway, std::unique_ptr<Store> opened);

    ManualLoop loop;
    std::unique_ptr<Store> store;
    ScriptedTransport transport;
    Forwarder forwarder;
    Pipeline pipeline;
    SessionDriver driver;
  };

  const Plan& plan_;
  Broker& broker_;
  TempDir folder_;
  FaultVfs disk_;
  FakeClock clock_;
  // To standard error if TIDEGATE_SIMULATION_LOG is set.
  Log log_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Agent> agent_;
};

}  // namespace tidegate::simulation
