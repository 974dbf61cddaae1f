// Measures how long a link is back before the first record is acknowledged.
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "bench/uplink_rig.h"

namespace tidegate::bench {

namespace {
using namespace std::chrono_literals;

constexpr int kLinkCuts = 9;

void Print(const std::string& what, std::vector<double> waits) {
  std::ranges::sort(waits);
  fmt::print("{}, {} cuts: median {:.3f} s, longest {:.3f} s\n", what, waits.size(),
             waits[waits.size() / 2], waits.back());
}

// Cuts the link, stores a backlog, restores the link after `length`, and returns the seconds from
// then until the next acknowledgement.
double OneCut(Uplink& uplink, std::chrono::milliseconds length, const std::function<void()>& cut,
              const std::function<void()>& restore) {
  uplink.Store(100);  // These are in flight when the link is cut.
  uplink.Go();
  cut();
  uplink.Store(1000);
  uplink.Go();
  uplink.RunFor(length);
  uint64_t before = uplink.acked();
  restore();
  const BootTime start = uplink.Now();
  uplink.RunUntil([&] { return uplink.acked() > before; });
  const double wait = std::chrono::duration<double>(uplink.Now() - start).count();
  uplink.RunUntilIdle();
  return wait;
}

void Command(const char* text) {
  if (std::system(text) != 0) Fail(fmt::format("failed: {}", text));
}
}  // namespace

void MeasureBrokersBack(const Brokers& brokers) {
  Brokers same{.mock = nullptr, .servers = brokers.servers, .settings = brokers.settings};
  const std::string topic = "uplink-bench-again";
  brokers.mock->CreateTopic(topic, 1);
  Uplink uplink(same, topic);
  std::vector<double> waits;
  for (int i = 0; i < 21; ++i) {
    waits.push_back(OneCut(
        uplink, 2000ms + i * 97ms, [&] { brokers.mock->SetDown(); },
        [&] { brokers.mock->SetUp(); }));
  }
  Print("again  brokers gone", std::move(waits));
}

void MeasureLinkCuts(const kafka::Properties& settings, LinkCut kind) {
  if (unshare(CLONE_NEWNET) != 0) {
    Fail(fmt::format("a network namespace: {} (it takes root)", std::strerror(errno)));
  }
  Command("ip link set lo up");
  Command("nft add table inet cut");
  Command("nft 'add chain inet cut in { type filter hook input priority 0; policy accept; }'");
  Brokers brokers{.mock = std::make_unique<MockKafka>(1), .servers = "", .settings = settings};
  brokers.servers = brokers.mock->bootstrap_servers();
  Uplink uplink(brokers, brokers.NewTopic(1));
  const bool down = kind == LinkCut::kInterfaceDown;
  const char* cut = down ? "ip link set lo down" : "nft add rule inet cut in drop";
  const char* restore = down ? "ip link set lo up" : "nft flush chain inet cut in";
  const char* what = down ? "cut    interface down" : "vanish packets dropped";
  std::vector<double> waits;
  for (int i = 0; i < kLinkCuts; ++i) {
    const auto length = 5000ms + i * 4300ms;
    waits.push_back(OneCut(
        uplink, length, [&] { Command(cut); }, [&] { Command(restore); }));
    fmt::print("{}, {:.1f} s: {:.3f} s\n", what, std::chrono::duration<double>(length).count(),
               waits.back());
    std::fflush(stdout);
  }
  Print(what, std::move(waits));
}

}  // namespace tidegate::bench
