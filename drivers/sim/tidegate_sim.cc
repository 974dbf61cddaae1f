// tidegate-sim: a made-up fleet that publishes heartbeats. See its --help.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/credentials.h"
#include "core/output.h"
#include "drivers/sim/command_line.h"
#include "drivers/sim/line_publisher.h"

namespace tidegate {
namespace {

volatile sig_atomic_t stop_signal = 0;

void OnSignal(int signal) {
  stop_signal = signal;
}

// Not restarting, so that a signal ends what waits; the second one ends the program.
void InstallSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  action.sa_flags = 0;
  sigaction(SIGPIPE, &action, nullptr);
}

Result<std::string> Password() {
  if (const char* password = std::getenv("TIDEGATE_SIM_PASSWORD")) return std::string(password);
  auto password = Credentials::FromEnvironment().Read("tidegate-sim.password");
  if (!password) return password.error();
  return std::move(*password).value_or("");
}

Result<std::unique_ptr<Publisher>> MakePublisher(const SimCommand& command, const Clock& clock) {
  switch (command.target) {
    case SimCommand::Target::kMqtt: {
      auto publisher = MqttPublisher::Make(command.mqtt, clock);
      if (!publisher) return publisher.error();
      return std::unique_ptr<Publisher>(*std::move(publisher));
    }
    case SimCommand::Target::kHttp: {
      auto publisher = HttpPublisher::Make(command.http, clock);
      if (!publisher) return publisher.error();
      return std::unique_ptr<Publisher>(*std::move(publisher));
    }
    case SimCommand::Target::kPrint:
      break;
  }
  return std::unique_ptr<Publisher>(std::make_unique<LinePublisher>(stdout));
}

std::string Summary(const RunResult& result, bool json) {
  if (!json)
    return fmt::format("published {} acknowledged {}", result.published, result.acknowledged);
  const double seconds = static_cast<double>(result.duration.count()) / 1000;
  return fmt::format(R"({{"published":{},"acknowledged":{},"refused":{},)"
                     R"("seconds":{:.3f},"rate":{:.1f},"complete":{}}})",
                     result.published, result.acknowledged, result.refused, seconds,
                     seconds > 0 ? static_cast<double>(result.acknowledged) / seconds : 0.0,
                     result.complete);
}

int Main(const std::vector<std::string>& arguments) {
  const Result<std::string> password = Password();
  if (!password) {
    fmt::print(stderr, "tidegate-sim: {}\n", password.error().message);
    return 2;
  }
  const SimCommand command = ParseSimCommand(arguments, *password, TIDEGATE_VERSION);
  if (!command.message.empty()) {
    if (command.exit_code == 0) Print(command.message);
    if (command.exit_code != 0) std::fputs(command.message.c_str(), stderr);
    return command.exit_code;
  }
  InstallSignals();
  const SystemClock clock;
  Result<std::unique_ptr<Publisher>> publisher = MakePublisher(command, clock);
  if (!publisher) {
    fmt::print(stderr, "tidegate-sim: {}\n", publisher.error().message);
    return 2;
  }
  Fleet fleet(command.fleet);
  const bool shows = !command.quiet && isatty(STDERR_FILENO) == 1;
  const auto progress = [&](const RunResult& now) {
    if (!shows) return;
    fmt::print(stderr, "\r\033[Kpublished {} acknowledged {} ({})", now.published, now.acknowledged,
               (*publisher)->state());
  };
  const RunResult result =
      PublishRun(
          command.run, fleet, **publisher, clock, [] { return stop_signal != 0; }, progress)
          .Run();
  if (shows) fmt::print(stderr, "\r\033[K");
  if (!result.complete) fmt::print(stderr, "tidegate-sim: {}\n", result.problem);
  // With --print standard output belongs to the heartbeats.
  const std::string summary = Summary(result, command.json) + "\n";
  if (command.target == SimCommand::Target::kPrint) {
    std::fputs(summary.c_str(), stderr);
  } else {
    Print(summary);
  }
  return result.complete ? 0 : 1;
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  const int code = tidegate::Main(std::vector<std::string>(argv + 1, argv + argc));
  return tidegate::FinishOutput(code);
}
