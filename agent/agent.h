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
  // A store that cannot be opened for now (not mounted, read-only, full, I/O errors) does not end
  // the agent: it starts, says so in the log and in status(), and tries again every 1 to 30 s. The
  // sources are connected once the store is open, so what is acknowledged is always durable. `log`
  // outlives the agent; the rest is copied. kInvalid: the settings cannot work, or a later version
  // wrote the store. kRejected: another agent uses the store. kUnavailable: the HTTP address or the
  // control socket is taken.
  static Result<std::unique_ptr<Agent>> Start(sd_event* event, const Settings& settings,
                                              const Credentials& credentials, const Log& log);
  virtual ~Agent() = default;

  // `on_failed` is called from the loop, once at most, if a store that Start() could not open turns
  // out to be unusable, or what is connected after it: with the errors that Start() returns. It is
  // not tried again; Stop() or destroy the agent, but not in the call. Without a callback the error
  // is logged.
  virtual void OnFailed(std::function<void(const Error&)> on_failed) = 0;

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
