// Compares the drain of a backlog from the store with librdkafka alone, with the same messages,
// settings and brokers. librdkafka alone has its messages ready in memory and keeps track of no
// record: there is no store, no delivery state, and no order beyond the library's.
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "bench/uplink_rig.h"
#include "core/kafka/kafka_handle.h"
#include "core/wire/wire_message.h"

namespace tidegate::bench {

namespace {
// Records of each batch of the backlog.
constexpr size_t kStoredBy = 1000;
constexpr int kRounds = 3;

struct Figures {
  double records_per_second = 0;
  // CPU time of all threads in microseconds.
  double cpu_per_record = 0;
};

class Watch {
 public:
  Figures Of(size_t records) const {
    const double count = static_cast<double>(records);
    const auto took = std::chrono::duration<double>(clock_.SinceBoot() - start_).count();
    return {count / took, (CpuOf(RUSAGE_SELF) - cpu_).count() / count};
  }

 private:
  SystemClock clock_;
  BootTime start_ = clock_.SinceBoot();
  Microseconds cpu_ = CpuOf(RUSAGE_SELF);
};

class Library {
 public:
  Library(const Brokers& brokers, const std::string& topic) {
    auto conf = kafka::MakeConf(brokers.Config());
    if (!conf.ok()) Fail(conf.error().message);
    rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_DR);
    std::array<char, 512> reason{};
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), reason.data(), reason.size()));
    if (!client_) Fail(reason.data());
    static_cast<void>(conf->release());
    topic_.reset(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
    queue_.reset(rd_kafka_queue_get_main(client_.get()));
  }
  // Sends all messages and returns when all are acknowledged.
  void Produce(const std::vector<WireMessage>& messages) {
    acked_ = 0;
    size_t sent = 0;
    for (const WireMessage& message : messages) {
      while (!Send(message)) Poll(1);
      if (++sent % 1000 == 0) Poll(0);
    }
    while (acked_ < messages.size()) Poll(100);
  }

 private:
  bool Send(const WireMessage& message) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
    for (const auto& [name, value] : message.headers) {
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
    std::array<rd_kafka_vu_t, 6> arguments{};
    arguments[0].vtype = RD_KAFKA_VTYPE_RKT;
    arguments[0].u.rkt = topic_.get();
    arguments[1] = Bytes(RD_KAFKA_VTYPE_KEY, message.key);
    arguments[2] = Bytes(RD_KAFKA_VTYPE_VALUE, message.value);
    arguments[3].vtype = RD_KAFKA_VTYPE_HEADERS;
    arguments[3].u.headers = headers;
    arguments[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    arguments[4].u.i = RD_KAFKA_MSG_F_COPY;
    arguments[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    arguments[5].u.i64 = message.timestamp->time_since_epoch().count();
    const kafka::ErrorHandle error(
        rd_kafka_produceva(client_.get(), arguments.data(), arguments.size()));
    if (error) rd_kafka_headers_destroy(headers);
    return !error;
  }
  static rd_kafka_vu_t Bytes(rd_kafka_vtype_t type, const std::string& bytes) {
    rd_kafka_vu_t argument{};
    argument.vtype = type;
    argument.u.mem.ptr = const_cast<char*>(bytes.data());
    argument.u.mem.size = bytes.size();
    return argument;
  }
  void Poll(int milliseconds) {
    const kafka::EventHandle event(rd_kafka_queue_poll(queue_.get(), milliseconds));
    if (event) acked_ += rd_kafka_event_message_count(event.get());
  }

  kafka::ClientHandle client_;
  kafka::TopicHandle topic_;
  kafka::QueueHandle queue_;
  size_t acked_ = 0;
};

Figures Alone(const Brokers& brokers, const std::string& topic, size_t records) {
  Topics topics;
  topics.heartbeat = topic;
  std::vector<WireMessage> messages;
  messages.reserve(records);
  for (const Record& record : Heartbeats().Take(records)) {
    messages.push_back(
        EncodeMessage(record, messages.size() + 1, {kGateway, "00000000"}, topics, true));
  }
  Library library(brokers, topic);
  // The uplink has delivered a record before its measurement, too.
  library.Produce({messages.begin(), messages.begin() + 1});
  const Watch watch;
  library.Produce(messages);
  return watch.Of(records);
}

// Drains a real store. Its files are in /dev/shm, where the machine has that and TMPDIR is not set:
// the figure says nothing about a disk.
Figures Ours(const Brokers& brokers, const std::string& topic, size_t records) {
  SqliteStoreFixture files;
  files.options.max_bytes = 4ull << 30;
  Uplink uplink(brokers, topic, files.Reopen());
  for (size_t stored = 0; stored < records; stored += kStoredBy) uplink.Store(kStoredBy);
  const Watch watch;
  uplink.RunUntilIdle();
  return watch.Of(records);
}
}  // namespace

void MeasureDrainAgainstLibrary(Brokers& brokers, size_t records) {
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    const Figures alone = Alone(brokers, brokers.NewTopic(1), records);
    const Figures ours = Ours(brokers, brokers.NewTopic(1), records);
    ratios.push_back(ours.records_per_second / alone.records_per_second);
    fmt::print(
        "baseline  drain of {}: {:.0f} records/s, {:.2f} us CPU a record; librdkafka alone "
        "{:.0f} records/s, {:.2f} us; ratio {:.2f}\n",
        records, ours.records_per_second, ours.cpu_per_record, alone.records_per_second,
        alone.cpu_per_record, ratios.back());
  }
  std::ranges::sort(ratios);
  fmt::print("baseline  ratio, median of {} rounds: {:.2f}\n", kRounds, ratios[kRounds / 2]);
}

}  // namespace tidegate::bench
