// tidegate-dev-broker: Kafka brokers in one small process, for demos and development. Never
// installed.
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/dev_broker/mock_kafka.h"

namespace {
constexpr const char* kHelp =
    R"(tidegate-dev-broker: Kafka brokers in one small process, for demos and development

  --brokers N      how many brokers (1)
  --topics A,B     topics to create at the start; others are created on first use
  --partitions N   of each of those (3)
  --help

Prints bootstrap.servers as its first line on standard output when it listens. Ends on SIGTERM or
SIGINT. SIGUSR1 takes all brokers down (clients lose their connections), SIGUSR2 brings them back.

These are librdkafka's mock brokers: nothing is on disk, a partition keeps no more than 5 MiB or
100,000 messages and drops the oldest, and there is no security. Use a real Kafka for anything else.
)";

struct Settings {
  int brokers = 1;
  int partitions = 3;
  std::vector<std::string> topics;
  bool help = false;
};

std::vector<std::string> SplitAtCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = text.find(',');
    if (end != 0) parts.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

// 1 to 100; 0 for anything else.
int SmallNumber(const char* text) {
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  return *text != '\0' && *end == '\0' && number > 0 && number <= 100 ? static_cast<int>(number)
                                                                      : 0;
}

bool Parse(int argc, char** argv, Settings& settings) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help") {
      settings.help = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const char* value = argv[++i];
    if (name == "--brokers") {
      settings.brokers = SmallNumber(value);
    } else if (name == "--partitions") {
      settings.partitions = SmallNumber(value);
    } else if (name == "--topics") {
      settings.topics = SplitAtCommas(value);
    } else {
      return false;
    }
  }
  return settings.brokers > 0 && settings.partitions > 0;
}

// Blocked before the library starts its threads, so that they never take one.
int WatchSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int number : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

void Serve(tidegate::MockKafka& kafka, int signals) {
  signalfd_siginfo info{};
  while (read(signals, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    if (info.ssi_signo == SIGUSR1) {
      kafka.SetDown();
      std::fputs("brokers down\n", stderr);
    } else if (info.ssi_signo == SIGUSR2) {
      kafka.SetUp();
      std::fputs("brokers up\n", stderr);
    } else {
      return;
    }
  }
}
}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (!Parse(argc, argv, settings)) {
    std::fputs(kHelp, stderr);
    return 2;
  }
  if (settings.help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  const int signals = WatchSignals();
  tidegate::MockKafka kafka(settings.brokers);
  for (const std::string& topic : settings.topics) kafka.CreateTopic(topic, settings.partitions);
  std::printf("%s\n", kafka.bootstrap_servers().c_str());
  std::fflush(stdout);
  Serve(kafka, signals);
  close(signals);
  return 0;
}
