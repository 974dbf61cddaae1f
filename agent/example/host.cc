// A host program with the agent inside: an existing daemon with an sd-event loop of its own (here:
// one that counts seconds) gets the whole agent with three calls. The configuration is the
// environment, as for tidegate-agent.
#include <systemd/sd-event.h>

#include <csignal>
#include <cstdio>

#include "agent/agent.h"

namespace {

struct Host {
  sd_event* event = nullptr;
  tidegate::Agent* agent = nullptr;
  int seconds = 0;
};

int OnSecond(sd_event_source* timer, uint64_t, void* userdata) {
  Host& host = *static_cast<Host*>(userdata);
  std::printf("host: %d s, agent: %s\n", ++host.seconds,
              tidegate::StatusLine(host.agent->status()).c_str());
  std::fflush(stdout);
  return sd_event_source_set_time_relative(timer, 1'000'000);
}

int OnSignal(sd_event_source*, const signalfd_siginfo*, void* userdata) {
  Host& host = *static_cast<Host*>(userdata);
  host.agent->Stop([&host] { sd_event_exit(host.event, 0); });
  return 0;
}

}  // namespace

int main() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);

  const tidegate::Credentials credentials = tidegate::Credentials::FromEnvironment();
  const tidegate::LoadedSettings loaded =
      tidegate::LoadSettings(tidegate::ProcessEnvironment(), credentials);
  for (const std::string& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.c_str());
  if (!loaded.problems.empty()) return 2;

  Host host;
  if (sd_event_default(&host.event) < 0) return 1;
  const tidegate::Log log(loaded.settings.log_level);
  auto agent = tidegate::Agent::Start(host.event, loaded.settings, credentials, log);
  if (!agent.ok()) {
    std::fprintf(stderr, "%s\n", agent.error().message.c_str());
    return 1;
  }
  host.agent = agent->get();
  host.agent->OnFailed([&](const tidegate::Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    sd_event_exit(host.event, 1);
  });
  sd_event_source* timer = nullptr;
  sd_event_add_time_relative(host.event, &timer, CLOCK_MONOTONIC, 1'000'000, 0, OnSecond, &host);
  sd_event_source_set_enabled(timer, SD_EVENT_ON);
  sd_event_add_signal(host.event, nullptr, SIGTERM, OnSignal, &host);
  sd_event_add_signal(host.event, nullptr, SIGINT, OnSignal, &host);

  const int code = sd_event_loop(host.event);
  agent->reset();
  sd_event_source_unref(timer);
  sd_event_unref(host.event);
  return code < 0 ? 1 : 0;
}
