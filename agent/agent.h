// The agent as a library, on an sd-event loop that its host owns and runs. One thread: the loop's.
// It starts threads only inside libraries (agent/README.md lists them) and handles no signals:
// those are the host's.
//
//   auto loaded = tidegate::LoadSettings(tidegate::ProcessEnvironment(), credentials);
//   auto agent = tidegate::Agent::Start(event, loaded.settings, credentials, log);
//   sd_event_loop(event);                        // until the host calls (*agent)->Stop(...)
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/config/settings.h"
#include "agent/control/status.h"
#include "core/clock.h"
#include "core/credentials.h"
#include "core/log.h"
#include "core/result.h"

struct sd_event;

namespace tidegate {

class Agent {
 public:
  // Opens the store, then connects the sources and the uplink, none of which has to be there yet.
  // When this returns, what is acknowledged from now on is durable. `log` outlives the agent; the
  // rest is copied. kInvalid: the settings cannot work. kUnavailable: a place is taken or not
  // writable. kCorrupt: the store is another program's.
  static Result<std::unique_ptr<Agent>> Start(sd_event* event, const Settings& settings,
                                              const Credentials& credentials, const Log& log);
  virtual ~Agent() = default;

  // In order, each step bounded: the sources take nothing new, what is in hand is committed and
  // acknowledged, the uplink empties its hands for at most Settings::stop_timeout. Then
  // `on_stopped` is called from the loop, once; destroy the agent after that. Destroying it without
  // Stop() is safe, too: nothing that was acknowledged is lost, only sent later.
  virtual void Stop(std::function<void()> on_stopped) = 0;

  virtual StatusReport status() const = 0;
};

// "0.1.0"
std::string AgentVersion();

}  // namespace tidegate
