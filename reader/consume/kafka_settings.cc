#include "reader/consume/kafka_settings.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "core/kafka/kafka_property.h"
#include "reader/consume/kafka_fetch_waker.h"

namespace tidegate::reader {

namespace {
// The properties that a producer, or a consumer, warns about, among those that people set.
constexpr std::array<std::string_view, 22> kConsumerOnly{"group.id",
                                                         "group.instance.id",
                                                         "partition.assignment.strategy",
                                                         "session.timeout.ms",
                                                         "heartbeat.interval.ms",
                                                         "group.protocol.type",
                                                         "coordinator.query.interval.ms",
                                                         "max.poll.interval.ms",
                                                         "enable.auto.commit",
                                                         "auto.commit.interval.ms",
                                                         "enable.auto.offset.store",
                                                         "queued.min.messages",
                                                         "queued.max.messages.kbytes",
                                                         "fetch.wait.max.ms",
                                                         "fetch.message.max.bytes",
                                                         "max.partition.fetch.bytes",
                                                         "fetch.max.bytes",
                                                         "fetch.min.bytes",
                                                         "fetch.error.backoff.ms",
                                                         "isolation.level",
                                                         "check.crcs",
                                                         "auto.offset.reset"};
constexpr std::array<std::string_view, 16> kProducerOnly{"acks",
                                                         "request.required.acks",
                                                         "compression.type",
                                                         "compression.codec",
                                                         "compression.level",
                                                         "linger.ms",
                                                         "queue.buffering.max.ms",
                                                         "queue.buffering.max.messages",
                                                         "queue.buffering.max.kbytes",
                                                         "batch.size",
                                                         "batch.num.messages",
                                                         "message.timeout.ms",
                                                         "delivery.timeout.ms",
                                                         "request.timeout.ms",
                                                         "enable.idempotence",
                                                         "retries"};

kafka::Properties Without(kafka::Properties properties, std::span<const std::string_view> names) {
  std::erase_if(properties,
                [&](const auto& entry) { return std::ranges::count(names, entry.first) > 0; });
  return properties;
}

const kafka::Properties kShared{
    {"client.id", "tidegate-reader"},
    {"reconnect.backoff.max.ms", "2000"},
    {"log.connection.close", "false"},
    // A topic that a gateway makes later is found this soon; the default is five minutes.
    {"topic.metadata.refresh.interval.ms", "5000"}};

kafka::Properties WithShared(kafka::Properties properties) {
  properties.insert(kShared.begin(), kShared.end());
  return properties;
}

kafka::Properties WithQueueBackoff(kafka::Properties properties) {
  if (std::ranges::binary_search(kafka::KnownProperties(), kQueueBackoffProperty))
    properties.emplace(kQueueBackoffProperty, "10");
  return properties;
}
}  // namespace

kafka::ConfigRequest ConsumerRequest(const kafka::Properties& settings,
                                     const kafka::Properties& credentials) {
  return {
      .defaults = WithQueueBackoff(WithShared({
          {"group.id", "tidegate-reader"},
          {"auto.commit.interval.ms", "5000"},
          // Eager: before librdkafka 2.10 cooperative rebalances can lose an assignment.
          {"partition.assignment.strategy", "roundrobin"},
          // A reader that was killed holds its partitions for this long.
          {"session.timeout.ms", "10000"},
          {"heartbeat.interval.ms", "2000"},
          // The prefetch, in messages and in bytes, and what one fetch asks of a partition, as it
          // is compressed (a larger message comes all the same); the defaults are 100,000 messages,
          // 64 MiB and 1 MiB. A worker is to stay below 64 MiB in all. FetchWaker keeps a queue
          // that is so small from running dry.
          {"queued.min.messages", "6000"},
          {"queued.max.messages.kbytes", "1024"},
          {"fetch.message.max.bytes", "32768"},
          {"statistics.interval.ms", "2000"},
      })),
      .settings = Without(settings, kProducerOnly),
      .credentials = Without(credentials, kProducerOnly),
      .forced = {{"enable.auto.offset.store", "false",
                  "an offset is stored when its record has landed, and not before"},
                 {"enable.auto.commit", "true", "stored offsets are committed in the background"},
                 {"auto.offset.reset", "earliest",
                  "latest skips what came before the first start or into a topic made anew"}},
  };
}

kafka::ConfigRequest ProjectingConsumerRequest(kafka::ConfigRequest landing, size_t number) {
  landing.defaults["queued.min.messages"] = "4000";
  landing.defaults["queued.max.messages.kbytes"] = "1024";
  for (kafka::Properties* properties :
       {&landing.defaults, &landing.settings, &landing.credentials}) {
    if (const auto group = properties->find("group.id"); group != properties->end())
      group->second += "-project";
    if (const auto id = properties->find("group.instance.id"); id != properties->end())
      id->second += "-project-" + std::to_string(number);
  }
  return landing;
}

kafka::ConfigRequest ParkedConsumerRequest(kafka::ConfigRequest landing) {
  landing.defaults["topic.metadata.refresh.interval.ms"] = "10000";
  for (kafka::Properties* properties :
       {&landing.defaults, &landing.settings, &landing.credentials}) {
    properties->erase("auto.offset.reset");
    for (const char* name : {"group.id", "group.instance.id"}) {
      if (const auto found = properties->find(name); found != properties->end())
        found->second += "-parked";
    }
  }
  landing.defaults["auto.offset.reset"] = "earliest";
  return landing;
}

kafka::ConfigRequest ProducerRequest(const kafka::Properties& settings,
                                     const kafka::Properties& credentials) {
  return {
      .defaults = WithShared({
          {"compression.type", "zstd"},
          {"linger.ms", "5"},
          {"message.timeout.ms",
           "10000"},  // A worker waits for its dead letters this long before it tries again.
          // Whether a message is too large is the topic's to say.
          {"message.max.bytes", "16777216"},
      }),
      .settings = Without(settings, kConsumerOnly),
      .credentials = Without(credentials, kConsumerOnly),
      .forced = {{"enable.idempotence", "true", "a dead letter is not doubled by a retry"},
                 {"acks", "all", "an offset goes only when its dead letter is safe"}},
  };
}

std::vector<kafka::Problem> FindKafkaProblems(const kafka::Properties& settings,
                                              const kafka::Properties& credentials) {
  std::vector<kafka::Problem> problems =
      kafka::FindAllProblems(kafka::Role::kConsumer, ConsumerRequest(settings, credentials));
  for (kafka::Problem& problem :
       kafka::FindAllProblems(kafka::Role::kProducer, ProducerRequest(settings, credentials))) {
    const auto same = [&](const kafka::Problem& other) {
      return other.property == problem.property &&
             (other.message == problem.message || !problem.property.empty());
    };
    if (std::ranges::none_of(problems, same)) problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace tidegate::reader
