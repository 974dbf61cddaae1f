// The baseline of the drain bench: librdkafka alone, with the agent's settings, produces the
// messages that the agent would send, without a store behind it. It makes a cycle of them (20,000
// if none is given) before the clock starts, and keeps librdkafka's queue full. Prints how many
// were acknowledged, the seconds from the first to the last, and its CPU time. With a cycle of
// COUNT all are different: what the reader's bench lands.
//
//   tidegate-bench-kafka-raw BOOTSTRAP_SERVERS TOPIC COUNT [CYCLE]
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/messages.h"
#include "uplink/kafka/kafka_config.h"
#include "uplink/kafka/kafka_handle.h"
#include "uplink/uplink_config.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

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

int Produce(rd_kafka_t* client, rd_kafka_topic_t* topic, const WireMessage& message) {
  kafka::HeadersHandle headers(rd_kafka_headers_new(message.headers.size()));
  for (const auto& [name, value] : message.headers) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  std::array<rd_kafka_vu_t, 6> arguments{};
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
  const kafka::ErrorHandle error(rd_kafka_produceva(client, arguments.data(), arguments.size()));
  if (error) return rd_kafka_error_code(error.get());
  static_cast<void>(headers.release());  // The message has taken them.
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

int Main(const std::string& servers, const std::string& topic, size_t count, size_t cycle) {
  const std::vector<WireMessage> messages = MakeMessages(topic, cycle);
  auto request = UplinkConfig("gw-bench", {{"bootstrap.servers", servers}}, {});
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
  static_cast<void>(conf->release());  // rd_kafka_new has taken it.
  const kafka::TopicHandle handle(rd_kafka_topic_new(client.get(), topic.c_str(), nullptr));
  const double cpu = CpuSeconds();
  for (size_t i = 0; i < count; ++i) {
    while (Produce(client.get(), handle.get(), messages[i % cycle]) ==
           RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_poll(client.get(), 10);
    }
    if (i % 100 == 0) rd_kafka_poll(client.get(), 0);
  }
  while (run.acked < count) rd_kafka_poll(client.get(), 100);
  fmt::print("{{\"messages\":{},\"seconds\":{:.6f},\"cpu_seconds\":{:.6f}}}\n", run.acked,
             std::chrono::duration<double>(run.last - run.first).count(), CpuSeconds() - cpu);
  return 0;
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fmt::print(stderr, "usage: {} BOOTSTRAP_SERVERS TOPIC COUNT [CYCLE]\n", argv[0]);
    return 2;
  }
  const size_t cycle = argc == 5 ? std::stoul(argv[4]) : 20'000;
  return tidegate::Main(argv[1], argv[2], std::stoul(argv[3]), cycle);
}
