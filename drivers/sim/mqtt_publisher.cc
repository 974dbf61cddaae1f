#include "drivers/sim/mqtt_publisher.h"

#include <fmt/format.h>
#include <mosquitto.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

constexpr Backoff::Options kReconnect{.initial = std::chrono::milliseconds(200),
                                      .max = std::chrono::seconds(5)};
constexpr std::chrono::seconds kConnackWait{10};
constexpr int kKeepaliveSeconds = 30;

void Replace(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string Cause(int code) {
  return code == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(code);
}

// Initialises the library for as long as the program runs.
struct MosquittoSetup {
  MosquittoSetup() { mosquitto_lib_init(); }
  ~MosquittoSetup() { mosquitto_lib_cleanup(); }
};

}  // namespace

// What libmosquitto calls; its user pointer is the publisher.
struct MqttPublisher::Callbacks {
  static void OnConnect(mosquitto*, void* self, int code) {
    auto& publisher = *static_cast<MqttPublisher*>(self);
    if (code == 0) {
      publisher.phase_ = Phase::kConnected;
      publisher.state_ = "connected";
      publisher.backoff_.Reset();
      return;
    }
    // 3 is "server unavailable", the one that passes.
    if (code != 3) publisher.refusal_ = mosquitto_connack_string(code);
    publisher.state_ = mosquitto_connack_string(code);
  }
  static void OnPublish(mosquitto*, void* self, int) {
    ++static_cast<MqttPublisher*>(self)->counts_.acknowledged;
  }
};

std::string FillTopic(const std::string& pattern, const Heartbeat& heartbeat) {
  std::string topic = pattern;
  Replace(topic, "{tenant}", heartbeat.tenant);
  Replace(topic, "{asset}", heartbeat.asset);
  return topic;
}

void MqttPublisher::Deleter::operator()(mosquitto* handle) const {
  mosquitto_destroy(handle);
}

MqttPublisher::MqttPublisher(MqttPublisherOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      backoff_(kReconnect, std::hash<std::string>()(options_.client_id)) {}

MqttPublisher::~MqttPublisher() {
  if (handle_ != nullptr && phase_ == Phase::kConnected) mosquitto_disconnect(handle_.get());
}

Result<std::unique_ptr<MqttPublisher>> MqttPublisher::Make(MqttPublisherOptions options,
                                                           const Clock& clock) {
  static const MosquittoSetup library;
  std::unique_ptr<MqttPublisher> publisher(new MqttPublisher(std::move(options), clock));
  if (Status status = publisher->Configure(); !status) return status.error();
  return publisher;
}

Status MqttPublisher::Configure() {
  // A clean session, because libmosquitto repeats what is unacknowledged in any case, and so
  // nothing stays behind on the broker.
  handle_.reset(mosquitto_new(options_.client_id.c_str(), true, this));
  if (handle_ == nullptr) return Error{ErrorCode::kInvalid, "create MQTT client: bad client id"};
  mosquitto* handle = handle_.get();
  mosquitto_connect_callback_set(handle, Callbacks::OnConnect);
  mosquitto_publish_callback_set(handle, Callbacks::OnPublish);
  mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
  mosquitto_int_option(handle, MOSQ_OPT_SEND_MAXIMUM, options_.window);
  mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1);
  if (!options_.username.empty()) {
    const char* password = options_.password.empty() ? nullptr : options_.password.c_str();
    mosquitto_username_pw_set(handle, options_.username.c_str(), password);
  }
  if (!options_.tls) return {};
  const int code =
      options_.ca_file.empty()
          ? mosquitto_int_option(handle, MOSQ_OPT_TLS_USE_OS_CERTS, 1)
          : mosquitto_tls_set(handle, options_.ca_file.c_str(), nullptr, nullptr, nullptr, nullptr);
  if (code == MOSQ_ERR_SUCCESS) return {};
  return Error{ErrorCode::kInvalid,
               fmt::format("set up TLS with {}: {}", options_.ca_file, Cause(code))};
}

bool MqttPublisher::HasRoom() const {
  return phase_ == Phase::kConnected &&
         published_ - counts_.acknowledged - counts_.refused < options_.window;
}

void MqttPublisher::Publish(const Heartbeat& heartbeat) {
  CHECK(HasRoom(), "Publish() needs room");
  const std::string topic = FillTopic(options_.topic, heartbeat);
  ++published_;
  const int code = mosquitto_publish(handle_.get(), nullptr, topic.c_str(),
                                     static_cast<int>(heartbeat.payload.size()),
                                     heartbeat.payload.data(), options_.qos, false);
  switch (code) {
    // Where the connection broke meanwhile, the library has queued the message before it noticed.
    case MOSQ_ERR_SUCCESS:
    case MOSQ_ERR_NO_CONN:
    case MOSQ_ERR_CONN_LOST:
    case MOSQ_ERR_ERRNO:
      break;
    default:
      ++counts_.refused;
      state_ = fmt::format("publish to {}: {}", topic, Cause(code));
  }
}

void MqttPublisher::Connect() {
  const int code = std::exchange(begun_, true)
                       ? mosquitto_reconnect(handle_.get())
                       : mosquitto_connect(handle_.get(), options_.host.c_str(), options_.port,
                                           kKeepaliveSeconds);
  if (code != MOSQ_ERR_SUCCESS) {
    Disconnected(fmt::format("connect to {}:{}: {}", options_.host, options_.port, Cause(code)));
    return;
  }
  phase_ = Phase::kConnecting;
  answer_until_ = clock_.SinceBoot() + kConnackWait;
}

void MqttPublisher::Disconnected(std::string why) {
  phase_ = Phase::kWaiting;
  state_ = std::move(why);
  next_attempt_ = clock_.SinceBoot() + backoff_.Next();
}

Status MqttPublisher::Step(std::chrono::milliseconds wait) {
  const BootTime now = clock_.SinceBoot();
  if (phase_ == Phase::kWaiting) {
    if (now >= next_attempt_) {
      Connect();
    } else {
      poll(nullptr, 0, static_cast<int>(std::min<int64_t>(wait.count(), 50)));
    }
    return {};
  }
  const int code = mosquitto_loop(handle_.get(), static_cast<int>(wait.count()), 1);
  if (!refusal_.empty()) {
    return Error{ErrorCode::kRejected,
                 fmt::format("connect to {}:{}: {}", options_.host, options_.port, refusal_)};
  }
  if (code != MOSQ_ERR_SUCCESS && !(code == MOSQ_ERR_ERRNO && errno == EINTR)) {
    Disconnected(fmt::format("connection to {}:{}: {}", options_.host, options_.port, Cause(code)));
  } else if (phase_ == Phase::kConnecting && now > answer_until_) {
    Disconnected(fmt::format("{}:{} does not answer", options_.host, options_.port));
  }
  return {};
}

}  // namespace tidegate
