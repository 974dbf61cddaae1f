// tidegate-agent: the program around the Agent library. Verbs, signals, systemd.
#include <malloc.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "agent/agent.h"
#include "agent/commands.h"
#include "core/loop/sd_event_handle.h"
#include "core/loop/sd_event_loop.h"
#include "core/output.h"

namespace tidegate {
namespace {

constexpr auto kStatusInterval = std::chrono::seconds(5);
constexpr std::chrono::microseconds kStartTimeout = std::chrono::minutes(10);

// sd-event wants the signals blocked in every thread, so this runs before any library starts one.
void BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

// The memory of a burst or of a drained backlog is returned to the system. By default each thread
// that frees what another one allocated gets a heap of its own, and freed large buffers are kept.
void ReturnFreedMemory() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

struct Run {
  sd_event* event;
  const Log& log;
  Agent& agent;
  bool stopping = false;
};

int OnSignal(sd_event_source*, const signalfd_siginfo* info, void* userdata) {
  Run& run = *static_cast<Run*>(userdata);
  if (run.stopping) {
    run.log.Warning("a second signal: leaving at once; what is stored is sent at the next start");
    return sd_event_exit(run.event, kExitOk);
  }
  run.stopping = true;
  run.log.Info("{}: stopping", info->ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
  sd_notify(0, "STOPPING=1");
  run.agent.Stop([&run] { sd_event_exit(run.event, kExitOk); });
  return 0;
}

int ExitStatusOf(const Error& error) {
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitFailed;
}

int RunCommand(const Environment& environment, const Credentials& credentials) {
  ReturnFreedMemory();
  BlockSignals();
  const LoadedSettings loaded = LoadSettings(environment, credentials);
  const Log log(loaded.settings.log_level);
  for (const std::string& warning : loaded.warnings) log.Warning("{}", warning);
  for (const std::string& problem : loaded.problems) log.Error("{}", problem);
  if (!loaded.problems.empty()) {
    log.Error("{} problem(s) in the configuration; `tidegate-agent check` shows all values",
              loaded.problems.size());
    return kExitUsage;
  }
  sd_event* raw = nullptr;
  if (sd_event_default(&raw) < 0) {
    log.Error("no event loop: out of file descriptors or memory");
    return kExitFailed;
  }
  const EventHandle event(raw);
  // Opening the store may take long on a slow card, whatever the unit's timeout is.
  sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%lld", static_cast<long long>(kStartTimeout.count()));
  auto agent = Agent::Start(event.get(), loaded.settings, credentials, log);
  if (!agent.ok()) {
    log.Error("{}", agent.error().message);
    return ExitStatusOf(agent.error());
  }
  (*agent)->OnFailed([&](const Error& error) {
    log.Error("{}", error.message);
    sd_event_exit(event.get(), ExitStatusOf(error));
  });
  Run run{.event = event.get(), .log = log, .agent = **agent};
  sd_event_add_signal(event.get(), nullptr, SIGTERM, OnSignal, &run);
  sd_event_add_signal(event.get(), nullptr, SIGINT, OnSignal, &run);
  sd_event_set_watchdog(event.get(), 1);

  SdEventLoop loop(event.get());
  std::unique_ptr<Timer> status_timer;
  const auto notify_status = [&] {
    sd_notifyf(0, "STATUS=%s", StatusLine(run.agent.status()).c_str());
    status_timer->After(kStatusInterval);
  };
  status_timer = loop.AddTimer(notify_status);
  // Also while the store cannot be opened yet: STATUS= reports that, and after a start that timed
  // out the next agent would wait as well.
  sd_notify(0, "READY=1");
  notify_status();
  const int code = sd_event_loop(event.get());
  status_timer.reset();
  agent->reset();
  log.Info("stopped");
  return code < 0 ? kExitFailed : code;
}

std::optional<RecordClass> KindOf(const std::string& text) {
  return text.empty() ? std::nullopt : RecordClassFromName(text);
}

int Main(int argc, char** argv) {
  CLI::App app{
      "tidegate-agent: carries records from vehicles and sensors to Kafka; what it acknowledged "
      "survives a power cut.\n"
      "Configured by environment variables (TIDEGATE_...), see tidegate-agent(1) or "
      "`tidegate-agent check`."};
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  const auto kinds = CLI::IsMember({"alert", "gap", "heartbeat", "reading"});
  std::string kind, store_dir, file;
  bool json = false, dead_letters = false;
  TailOptions tail;

  const auto* run = app.add_subcommand("run", "run the agent in the foreground");
  const auto* check = app.add_subcommand(
      "check", "print every effective setting and all that is wrong; exit 2 if anything is");
  auto* status = app.add_subcommand("status", "ask the running agent how it is");
  status->add_flag("--json", json, "as one JSON object");
  auto* tail_verb = app.add_subcommand("tail", "print the newest stored records");
  tail_verb->add_flag("--follow,-f", tail.follow,
                      "then go on with each record as the running agent stores it");
  tail_verb->add_flag("--json", tail.json, "one JSON object a line");
  tail_verb->add_option("--kind", kind, "only this kind")->check(kinds);
  tail_verb->add_option("--lines,-n", tail.count, "how many stored records to begin with")
      ->capture_default_str();
  auto* export_verb =
      app.add_subcommand("export", "write everything that is stored as JSON lines, oldest first");
  export_verb->add_option("--kind", kind, "only this kind")->check(kinds);
  export_verb->add_flag("--dead-letters", dead_letters, "the dead letters instead of the records");
  auto* verify = app.add_subcommand(
      "verify", "read the whole store and name every damage; changes nothing; exit 3 if damaged");
  for (auto* verb : {export_verb, verify}) {
    auto* folder =
        verb->add_option("--store", store_dir, "the store's folder instead of the agent's");
    verb->add_option("--file", file, "a file that was set aside (store.db.damaged-...), as it is")
        ->excludes(folder);
  }
  const auto* version = app.add_subcommand("version", "print the version");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  const Environment environment = ProcessEnvironment();
  if (store_dir.empty()) store_dir = FindStoreDir(environment);
  if (version->parsed()) {
    Print("tidegate-agent " + AgentVersion() + "\n");
    return kExitOk;
  }
  if (status->parsed()) return StatusCommand(environment, json);
  const std::string store_path = file.empty() ? StorePath(store_dir) : file;
  if (verify->parsed()) return VerifyCommand(store_path);
  if (export_verb->parsed())
    return ExportCommand(
        environment, store_path,
        {.kind = KindOf(kind), .dead_letters = dead_letters, .is_set_aside = !file.empty()});
  if (tail_verb->parsed()) {
    tail.kind = KindOf(kind);
    return TailCommand(environment, tail);
  }
  const Credentials credentials = Credentials::FromEnvironment();
  if (check->parsed()) return CheckCommand(environment, credentials);
  (void)run;
  return RunCommand(environment, credentials);
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  return tidegate::FinishOutput(tidegate::Main(argc, argv));
}
