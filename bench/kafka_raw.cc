// The baseline of the drain bench: librdkafka alone, with the agent's settings and without a store,
// produces the messages that the agent would send. The program makes a cycle of different messages
// before the clock starts, repeats it, and keeps librdkafka's queue full. It prints the number of
// acknowledged messages, the seconds from the first acknowledgement to the last, and its CPU time.
// The reader's bench fills its topics with it.
//
//   tidegate-bench-kafka-raw BOOTSTRAP_SERVERS TOPIC COUNT [OPTION ...]
//     --cycle=N       length of the cycle, 20,000 by default; with N = COUNT no message repeats
//     --partitions=N  sends to the first N partitions in turn, instead of by key
//     --plain         sends no headers, like devices without a gateway
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/messages.h"
#include "core/kafka/kafka_config.h"
#include "core/kafka/kafka_handle.h"
#include "uplink/uplink_config.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string servers;
  std::string topic;
  size_t count = 0;
  size_t cycle = 20'000;
  // 0: librdkafka chooses the partition by the key.
  size_t partitions = 0;
  bool plain = false;
};

struct Run {
  size_t acked = 0;
  Clock::time_point first{};
  Clock::time_point last{};
};

void OnReport(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto& run = *static_cast<Run*>(opaque);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    fmt::print(stderr, "{}\n", rd_kafka_err2str(message->err));
    std::exit(1);
  }
  run.last = Clock::now();
  if (run.acked++ == 0) run.first = run.last;
}

rd_kafka_vu_t Bytes(rd_kafka_vtype_t type, const std::string& bytes) {
  rd_kafka_vu_t argument{};
  argument.vtype = type;
  argument.u.mem.ptr = const_cast<char*>(bytes.data());  // Copied.
  argument.u.mem.size = bytes.size();
  return argument;
}

int Produce(rd_kafka_t* client, rd_kafka_topic_t* topic, int32_t partition,
            const WireMessage& message) {
  kafka::HeadersHandle headers(rd_kafka_headers_new(message.headers.size()));
  for (const auto& [name, value] : message.headers) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  std::array<rd_kafka_vu_t, 7> arguments{};
  arguments[0].vtype = RD_KAFKA_VTYPE_RKT;
  arguments[0].u.rkt = topic;
  arguments[1] = Bytes(RD_KAFKA_VTYPE_KEY, message.key);
  arguments[2] = Bytes(RD_KAFKA_VTYPE_VALUE, message.value);
  arguments[3].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[3].u.headers = headers.get();
  arguments[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[4].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  arguments[5].u.i64 = message.timestamp.value_or(WallTime{}).time_since_epoch().count();
  arguments[6].vtype = RD_KAFKA_VTYPE_PARTITION;
  arguments[6].u.i32 = partition;
  const kafka::ErrorHandle error(rd_kafka_produceva(client, arguments.data(), arguments.size()));
  if (error) return rd_kafka_error_code(error.get());
  static_cast<void>(headers.release());  // The message owns them now.
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::vector<WireMessage> Messages(const Options& options) {
  std::vector<WireMessage> messages = MakeMessages(options.topic, options.cycle);
  if (!options.plain) return messages;
  for (WireMessage& message : messages) message.headers.clear();
  return messages;
}

int Main(const Options& options) {
  const std::vector<WireMessage> messages = Messages(options);
  auto request = UplinkConfig("gw-bench", {{"bootstrap.servers", options.servers}}, {});
  std::erase_if(request.forced, [](const auto& forced) { return forced.name == "log.queue"; });
  auto conf = kafka::MakeConf(request);
  if (!conf.ok()) {
    fmt::print(stderr, "{}\n", conf.error().message);
    return 2;
  }
  Run run;
  rd_kafka_conf_set_dr_msg_cb(conf->get(), OnReport);
  rd_kafka_conf_set_opaque(conf->get(), &run);
  std::array<char, 512> reason{};
  const kafka::ClientHandle client(
      rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), reason.data(), reason.size()));
  if (!client) {
    fmt::print(stderr, "{}\n", reason.data());
    return 2;
  }
  static_cast<void>(conf->release());  // The client owns it now.
  const kafka::TopicHandle handle(rd_kafka_topic_new(client.get(), options.topic.c_str(), nullptr));
  const double cpu = CpuSeconds();
  for (size_t i = 0; i < options.count; ++i) {
    const int32_t partition = options.partitions == 0
                                  ? RD_KAFKA_PARTITION_UA
                                  : static_cast<int32_t>(i % options.partitions);
    while (Produce(client.get(), handle.get(), partition, messages[i % options.cycle]) ==
           RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_poll(client.get(), 10);
    }
    if (i % 100 == 0) rd_kafka_poll(client.get(), 0);
  }
  while (run.acked < options.count) rd_kafka_poll(client.get(), 100);
  fmt::print("{{\"messages\":{},\"seconds\":{:.6f},\"cpu_seconds\":{:.6f}}}\n", run.acked,
             std::chrono::duration<double>(run.last - run.first).count(), CpuSeconds() - cpu);
  return 0;
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr,
               "usage: {} BOOTSTRAP_SERVERS TOPIC COUNT [--cycle=N] [--partitions=N] [--plain]\n",
               argv[0]);
    return 2;
  }
  tidegate::Options options{argv[1], argv[2], std::stoul(argv[3])};
  for (const std::string& argument : std::vector<std::string>(argv + 4, argv + argc)) {
    const auto number = [&](std::string_view name, size_t& value) {
      if (argument.starts_with(name)) value = std::stoul(argument.substr(name.size()));
    };
    number("--cycle=", options.cycle);
    number("--partitions=", options.partitions);
    options.plain |= argument == "--plain";
  }
  return tidegate::Main(options);
}
