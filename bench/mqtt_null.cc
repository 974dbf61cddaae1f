// The baseline of the ingest bench: a subscriber with the same libmosquitto that discards every
// message. It ends after COUNT messages and prints their number, the seconds between the first and
// the last, and its CPU time.
//
//   tidegate-bench-mqtt-null HOST PORT TOPIC CLIENT_ID COUNT [subscribe]
//
// With "subscribe" it only creates its persistent session, so that the broker queues messages for
// it, and exits.
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;

struct Run {
  const char* topic;
  long want;
  bool only_subscribe;
  long got = 0;
  bool subscribed = false;
  Clock::time_point first{};
  Clock::time_point last{};
};

struct MosquittoDeleter {
  void operator()(mosquitto* client) const { mosquitto_destroy(client); }
};

void OnConnect(mosquitto* client, void* userdata, int code) {
  const Run& run = *static_cast<Run*>(userdata);
  if (code == 0) mosquitto_subscribe(client, nullptr, run.topic, 1);
}

void OnSubscribe(mosquitto*, void* userdata, int, int, const int*) {
  static_cast<Run*>(userdata)->subscribed = true;
}

void OnMessage(mosquitto*, void* userdata, const mosquitto_message*) {
  Run& run = *static_cast<Run*>(userdata);
  run.last = Clock::now();
  if (run.got++ == 0) run.first = run.last;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: %s HOST PORT TOPIC CLIENT_ID COUNT [subscribe]\n", argv[0]);
    return 2;
  }
  Run run{.topic = argv[3],
          .want = std::atol(argv[5]),
          .only_subscribe = argc > 6 && std::string_view(argv[6]) == "subscribe"};
  mosquitto_lib_init();
  const std::unique_ptr<mosquitto, MosquittoDeleter> client(mosquitto_new(argv[4], false, &run));
  mosquitto_int_option(client.get(), MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client.get(), MOSQ_OPT_RECEIVE_MAXIMUM, 1000);
  mosquitto_int_option(client.get(), MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_callback_set(client.get(), OnConnect);
  mosquitto_subscribe_callback_set(client.get(), OnSubscribe);
  mosquitto_message_callback_set(client.get(), OnMessage);
  mosquitto_property* properties = nullptr;
  mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 3600);
  const int connected =
      mosquitto_connect_bind_v5(client.get(), argv[1], std::atoi(argv[2]), 60, nullptr, properties);
  mosquitto_property_free_all(&properties);
  if (connected != MOSQ_ERR_SUCCESS) {
    std::fprintf(stderr, "connect to %s:%s: %s\n", argv[1], argv[2], mosquitto_strerror(connected));
    return 1;
  }
  while (run.only_subscribe ? !run.subscribed : run.got < run.want) {
    if (const int error = mosquitto_loop(client.get(), 1000, 1); error != MOSQ_ERR_SUCCESS) {
      std::fprintf(stderr, "loop: %s\n", mosquitto_strerror(error));
      return 1;
    }
  }
  mosquitto_loop_write(client.get(), 1);
  mosquitto_disconnect(client.get());
  const double seconds = std::chrono::duration<double>(run.last - run.first).count();
  std::printf("{\"messages\":%ld,\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n", run.got, seconds,
              CpuSeconds());
  return 0;
}
