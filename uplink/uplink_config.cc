#include "uplink/uplink_config.h"

#include <algorithm>
#include <string>
#include <utility>

#include "uplink/transport.h"

namespace tidegate {

namespace {
constexpr const char* kGapless = "enable.gapless.guarantee";

kafka::Properties Defaults(const std::string& gateway) {
  return {
      {"client.id", "tidegate-" + gateway},
      // Records of one commit are sent within a millisecond; waiting longer only delays alerts.
      {"linger.ms", "10"},
      // Several requests fit into the forwarder's limit in flight, so that a backlog waits neither
      // for linger.ms nor for one answer. Larger requests hardly compress better.
      {"batch.num.messages", "250"},
      {"compression.codec", "zstd"},
      // As small as level 6 on heartbeats and a third of its CPU; 9 is a tenth smaller for three
      // times the CPU (README.md).
      {"compression.level", "1"},
      // The same partition for an asset as a Java producer would choose.
      {"partitioner", "murmur2_random"},
      // SQLite is the queue: records that wait in the library are in memory twice.
      {"queue.buffering.max.messages", "10000"},
      {"queue.buffering.max.kbytes", "4096"},
      // A working link is noticed within half a second: an attempt without an answer takes 0.3 s
      // (connect_attempts.h).
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "200"},
      {"retry.backoff.ms", "100"},
      {"socket.keepalive.enable", "true"},
      {"socket.nagle.disable", "true"},
      // A dead link without a reset is closed after this time.
      {"socket.timeout.ms", "20000"},
      {"request.timeout.ms", "15000"},
      {"socket.connection.setup.timeout.ms", "10000"},
      // Metered links: refresh seldom, but within a broker's idle limit of ten minutes.
      {"topic.metadata.refresh.interval.ms", "540000"},
      {"metadata.max.age.ms", "1620000"},
      {"topic.metadata.refresh.sparse", "true"},
      {"statistics.interval.ms", "0"},
      {"log.connection.close", "false"},
  };
}

std::vector<kafka::ForcedProperty> Forced() {
  std::vector<kafka::ForcedProperty> forced{
      {"enable.idempotence", "true", "a request repeated on a bad link would double its records"},
      {"acks", "all", "a record leaves this store once it is acknowledged"},
      {"message.timeout.ms", "0", "records wait in the store for as long as the link is away"},
      {"log.queue", "true", "the library's log lines are written by the loop's thread"},
  };
  // Without it, requests that follow a refused one would overtake its records. The library calls it
  // experimental. A version without it still works: only the order around a refused record suffers.
  if (std::ranges::binary_search(kafka::KnownProperties(), kGapless)) {
    forced.push_back({kGapless, "true", "records of an asset stay in order"});
  }
  return forced;
}
}  // namespace

kafka::ConfigRequest UplinkConfig(const std::string& gateway, kafka::Properties settings,
                                  kafka::Properties credentials) {
  return {.defaults = Defaults(gateway),
          .settings = std::move(settings),
          .credentials = std::move(credentials),
          .forced = Forced()};
}

kafka::ConfigRequest TrialConfig(kafka::ConfigRequest config) {
  for (const char* name :
       {kGapless, "batch.num.messages", "batch.size", "linger.ms", "queue.buffering.max.ms",
        "queue.buffering.max.messages", "queue.buffering.max.kbytes"}) {
    config.settings.erase(name);
    config.credentials.erase(name);
  }
  config.defaults["batch.num.messages"] = std::to_string(kMaxTrialRecords);
  std::erase_if(config.forced, [](const auto& rule) { return rule.name == kGapless; });
  return config;
}

}  // namespace tidegate
