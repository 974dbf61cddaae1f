// The agent as a library: it runs on an sd-event loop that its host owns and runs. Everything is
// called on the loop's thread; other threads exist only inside libraries (agent/README.md lists
// them). Signals are the host's. What the agent has acknowledged to a source survives every end of
// the process.
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
  // Opens the store, then connects the sources and the uplink, which may all be unreachable yet. If
  // the store cannot be opened for now (not mounted, read-only, full, I/O errors), the agent starts
  // without it, reports that in the log and in status(), and tries again, at least every 30 s. The
  // sources are connected once the store is open, so what is acknowledged is always durable.
  // `event` and `log` outlive the agent; the rest is copied. kInvalid: the settings cannot work, or
  // a later version wrote the store. kRejected: another agent uses the store. kUnavailable: the
  // HTTP address or the control socket is in use.
  static Result<std::unique_ptr<Agent>> Start(sd_event* event, const Settings& settings,
                                              const Credentials& credentials, const Log& log);
  virtual ~Agent() = default;

  // `on_failed` is called from the loop, at most once, if a store that Start() could not open turns
  // out to be unusable, or if what is connected after it cannot work. The errors are those of
  // Start(). The agent makes no further attempt: Stop() or destroy it, but not in the call. Without
  // a callback the error is logged.
  virtual void OnFailed(std::function<void(const Error&)> on_failed) = 0;

  // Stops in order, each step bounded: the sources accept nothing new, what is pending is committed
  // and acknowledged, and the uplink waits for the reports of what it has sent, for at most
  // Settings::stop_timeout. Then `on_stopped` is called from the loop, once; destroy the agent
  // after that. A second call does nothing. Destroying the agent without Stop() is safe, too:
  // nothing that was acknowledged is lost, only sent later.
  virtual void Stop(std::function<void()> on_stopped) = 0;

  // The agent's state at present.
  virtual StatusReport status() const = 0;
};

// The version as in "0.1.0".
std::string AgentVersion();

}  // namespace tidegate
