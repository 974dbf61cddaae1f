#include "drivers/mqtt/mqtt_connection.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "drivers/mqtt/channel/cork.h"
#include "drivers/mqtt/channel/packet_pipe.h"
#include "drivers/mqtt/mosquitto_handle.h"

namespace tidegate {
namespace {

constexpr size_t kMaxErrorBytes = 400;
// Of one Read(), so that a packet of hundreds of MiB does not keep the loop for itself.
constexpr int kMostParts = 32;
constexpr int kPacketsPerCall = 1;  // The library ignores it for reading and writes all anyway.

Error Unavailable(const std::string& operation, std::string_view cause) {
  return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", operation, cause)};
}

// The library's word for a code it returned; `system_error` is errno right after the call.
std::string CauseOf(int code, int system_error) {
  if (code == MOSQ_ERR_ERRNO) return std::strerror(system_error);
  if (code == MOSQ_ERR_CONN_LOST) return "the broker closed the connection";
  if (code == MOSQ_ERR_KEEPALIVE) return "the broker does not answer";
  return mosquitto_strerror(code);
}

const char* OrNull(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

}  // namespace

struct MqttConnection::State {
  State(size_t max_packet_bytes, bool may_shorten) : pipe(max_packet_bytes, may_shorten) {}

  PacketPipe pipe;
  MosquittoHandle handle;
};

// What the library calls back; `self` is the connection.
struct MqttConnection::Callbacks {
  static void OnConnect(mosquitto*, void* self, int reason, int flags,
                        const mosquitto_property* properties) {
    auto& connection = *static_cast<MqttConnection*>(self);
    if (std::exchange(connection.answered_, true)) {
      connection.violation_ = "a second CONNACK";
      return;
    }
    connection.accepted_ = reason == 0;
    Connack connack{.reason = reason, .session_present = (flags & 1) != 0, .keepalive = {}};
    uint16_t keepalive = 0;
    if (mosquitto_property_read_int16(properties, MQTT_PROP_SERVER_KEEP_ALIVE, &keepalive, false) !=
        nullptr) {
      connack.keepalive = std::chrono::seconds(keepalive);
    }
    connection.listener_.OnConnack(connack);
  }

  static void OnMessage(mosquitto*, void* self, const mosquitto_message* message) {
    auto& connection = *static_cast<MqttConnection*>(self);
    if (!connection.accepted_) {
      connection.violation_ = "a PUBLISH before the CONNACK";
      return;
    }
    MqttPublish publish;
    publish.topic = message->topic;
    publish.payload = {static_cast<const char*>(message->payload),
                       static_cast<size_t>(message->payloadlen)};
    if (message->qos > 0) publish.packet_id = static_cast<uint16_t>(message->mid);
    publish.retained = message->retain;
    publish.shortened_from = connection.state_->pipe.shortened_from();
    connection.listener_.OnPublish(publish);
  }

  static void OnSubscribe(mosquitto*, void* self, int, int count, const int* granted) {
    auto& connection = *static_cast<MqttConnection*>(self);
    if (!connection.accepted_) {
      connection.violation_ = "a SUBACK before the CONNACK";
      return;
    }
    if (count > 0) connection.listener_.OnSuback(granted[0]);
  }

  static void OnUnsubscribe(mosquitto*, void* self, int id, const mosquitto_property*) {
    static_cast<MqttConnection*>(self)->listener_.OnUnsuback(id);
  }

  static void OnDisconnect(mosquitto*, void* self, int reason, const mosquitto_property*) {
    static_cast<MqttConnection*>(self)->disconnect_reason_ = reason;
  }

  static void OnLog(mosquitto*, void* self, int level, const char* text) {
    std::string& errors = static_cast<MqttConnection*>(self)->library_errors_;
    if (level != MOSQ_LOG_ERR || errors.size() > kMaxErrorBytes) return;
    if (!errors.empty()) errors += "; ";
    errors += text;
  }
};

MqttConnection::MqttConnection(const MqttOptions& options, MqttVersion version, Listener& listener)
    : version_(version),
      listener_(listener),
      state_(std::make_unique<State>(options.max_packet_bytes, version == MqttVersion::k311)) {}

MqttConnection::~MqttConnection() {
  CHECK(!reading_, "a listener does not destroy its connection");
}

mosquitto* MqttConnection::handle() const {
  CHECK(!reading_, "a listener does not call its connection back");
  return state_->handle.get();
}

Result<std::unique_ptr<MqttConnection>> MqttConnection::Open(const MqttOptions& options,
                                                             MqttVersion version,
                                                             const std::string& host,
                                                             Listener& listener) {
  std::unique_ptr<MqttConnection> connection(new MqttConnection(options, version, listener));
  if (Status status = connection->Configure(options); !status) return status.error();
  if (Status status = connection->Connect(options, host); !status) return status.error();
  return connection;
}

Status MqttConnection::Configure(const MqttOptions& options) {
  constexpr bool kCleanStart = false;
  state_->handle.reset(mosquitto_new(options.client_id.c_str(), kCleanStart, this));
  mosquitto* const handle = state_->handle.get();
  if (handle == nullptr) return Unavailable("create MQTT client", std::strerror(errno));
  mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION,
                       version_ == MqttVersion::k5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  // Write() corks what belongs together; beyond that, waiting gains nothing.
  mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1);
  // Without this a PUBACK would be sent while its message is being read.
  mosquitto_threaded_set(handle, true);
  mosquitto_connect_v5_callback_set(handle, Callbacks::OnConnect);
  mosquitto_message_callback_set(handle, Callbacks::OnMessage);
  mosquitto_subscribe_callback_set(handle, Callbacks::OnSubscribe);
  mosquitto_unsubscribe_v5_callback_set(handle, Callbacks::OnUnsubscribe);
  mosquitto_disconnect_v5_callback_set(handle, Callbacks::OnDisconnect);
  mosquitto_log_callback_set(handle, Callbacks::OnLog);
  const int code =
      mosquitto_username_pw_set(handle, OrNull(options.username), OrNull(options.password));
  if (code != MOSQ_ERR_SUCCESS) return Unavailable("set MQTT user", mosquitto_strerror(code));
  return {};
}

Status MqttConnection::Connect(const MqttOptions& options, const std::string& host) {
  mosquitto* const handle = state_->handle.get();
  const std::string operation = fmt::format("connect to {}:{}", options.host, options.port);
  const int keepalive = static_cast<int>(options.keepalive.count());
  int code = version_ == MqttVersion::k5 ? StoreProperties(options, host) : MOSQ_ERR_SUCCESS;
  if (code == MOSQ_ERR_SUCCESS) {
    code = mosquitto_connect_bind_async(handle, host.c_str(), options.port, keepalive, nullptr);
  }
  const int system_error = errno;
  if (code != MOSQ_ERR_SUCCESS) {
    if (!library_errors_.empty()) return Unavailable(operation, library_errors_);
    if (code == MOSQ_ERR_EAI) return Unavailable(operation, "the name does not resolve");
    return Unavailable(operation, CauseOf(code, system_error));
  }
  const Status opened = state_->pipe.Open({.tls = options.tls,
                                           .host = options.host,
                                           .ca_file = options.ca_file,
                                           .cert_file = options.cert_file,
                                           .key_file = options.key_file,
                                           .verify_peer = options.verify_peer},
                                          mosquitto_socket(handle));
  return opened.ok() ? opened : Unavailable(operation, opened.error().message);
}

// Of the calls that connect, only the one that blocks accepts properties. It stores them before it
// looks at the port, so that a port that it refuses leaves us with the properties and nothing else.
int MqttConnection::StoreProperties(const MqttOptions& options, const std::string& host) {
  mosquitto_property* list = nullptr;
  int code = mosquitto_property_add_int32(&list, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                          static_cast<uint32_t>(options.session_expiry.count()));
  if (code == MOSQ_ERR_SUCCESS) {
    code = mosquitto_property_add_int16(&list, MQTT_PROP_RECEIVE_MAXIMUM, options.receive_maximum);
  }
  if (code == MOSQ_ERR_SUCCESS) {
    code = mosquitto_property_add_int32(&list, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                        options.max_packet_bytes);
  }
  const MosquittoProperties properties(list);
  if (code != MOSQ_ERR_SUCCESS) return code;
  constexpr int kRefusedPort = -1;
  code = mosquitto_connect_bind_v5(state_->handle.get(), host.c_str(), kRefusedPort,
                                   static_cast<int>(options.keepalive.count()), nullptr,
                                   properties.get());
  return code == MOSQ_ERR_INVAL ? MOSQ_ERR_SUCCESS : MOSQ_ERR_UNKNOWN;
}

int MqttConnection::fd() const {
  return state_->pipe.fd();
}

Status MqttConnection::ConnectResult() const {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? Status() : Unavailable("connect", std::strerror(error));
}

bool MqttConnection::Alive(const char* operation, int code, int system_error) {
  const bool ended = mosquitto_socket(handle()) < 0;
  if (code == MOSQ_ERR_SUCCESS && !ended && violation_ == nullptr) return true;
  std::string cause;
  if (violation_ != nullptr) {
    cause = fmt::format("the broker violates the protocol: {}", violation_);
  } else if (code == MOSQ_ERR_SUCCESS && disconnect_reason_.has_value()) {
    cause = mosquitto_reason_string(*disconnect_reason_);
  } else {
    cause = library_errors_.empty() ? CauseOf(code, system_error) : library_errors_;
  }
  error_ = fmt::format("{}: {}", operation, cause);
  return false;
}

bool MqttConnection::buffered() const {
  return state_->pipe.buffered();
}

bool MqttConnection::Read() {
  for (int parts = 0; parts < kMostParts; ++parts) {
    const Result<PacketPipe::Passed> passed = state_->pipe.PassOn();
    if (!passed.ok()) return Ended("read from the broker", passed.error());
    if (*passed == PacketPipe::Passed::kNothing) return true;
    if (!ReadLibrary()) return false;
    if (*passed == PacketPipe::Passed::kPacket) return true;
  }
  return true;
}

// Lets the library read a packet, or what there is of one. False: the connection has ended.
bool MqttConnection::ReadLibrary() {
  mosquitto* const library = handle();
  reading_ = true;
  const int code = mosquitto_loop_read(library, kPacketsPerCall);
  const int system_error = errno;
  reading_ = false;
  return Alive("read from the broker", code, system_error);
}

bool MqttConnection::Write() {
  const Cork cork(fd());
  int code = MOSQ_ERR_SUCCESS;
  int system_error = 0;
  do {
    code = mosquitto_loop_write(handle(), kPacketsPerCall);
    system_error = errno;
  } while (state_->pipe.Collect());
  // The last packet, a DISCONNECT, has to leave although the library has closed its side.
  const Status flushed = state_->pipe.Flush();
  if (!flushed.ok()) return Ended("write to the broker", flushed.error());
  return Alive("write to the broker", code, system_error);
}

bool MqttConnection::Ended(const char* operation, const Error& error) {
  error_ = fmt::format("{}: {}", operation, error.message);
  return false;
}

bool MqttConnection::want_write() const {
  return mosquitto_want_write(handle()) || state_->pipe.unwritten();
}

bool MqttConnection::violated() const {
  return violation_ != nullptr || state_->pipe.violated();
}

bool MqttConnection::tls_failed() const {
  return state_->pipe.security_failed();
}

bool MqttConnection::CheckKeepalive() {
  errno = 0;
  const int code = mosquitto_loop_misc(handle());
  return Alive("keep the connection alive", code, errno);
}

Status MqttConnection::Subscribe(const std::string& filter) {
  // MQTT 5: retained messages come with a new subscription only, and not with each reconnect.
  const int code = mosquitto_subscribe_v5(handle(), nullptr, filter.c_str(), /*qos=*/1,
                                          MQTT_SUB_OPT_SEND_RETAIN_NEW, nullptr);
  return code == MOSQ_ERR_SUCCESS ? Status()
                                  : Unavailable("subscribe " + filter, mosquitto_strerror(code));
}

Result<int> MqttConnection::Unsubscribe(const std::string& filter) {
  int id = 0;
  const int code = mosquitto_unsubscribe(handle(), &id, filter.c_str());
  if (code != MOSQ_ERR_SUCCESS) {
    return Unavailable("unsubscribe " + filter, mosquitto_strerror(code));
  }
  return id;
}

void MqttConnection::AcknowledgeSegments() {
  const int on = 1;
  ::setsockopt(fd(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void MqttConnection::StopLogging() {
  // The library formats a line for every packet as long as anyone listens.
  mosquitto_log_callback_set(handle(), nullptr);
  library_errors_.clear();
}

void MqttConnection::Disconnect() {
  if (mosquitto_disconnect_v5(handle(), 0, nullptr) == MOSQ_ERR_SUCCESS) Write();
}

std::string ConnackText(MqttVersion version, int reason) {
  return version == MqttVersion::k5 ? mosquitto_reason_string(reason)
                                    : mosquitto_connack_string(reason);
}

}  // namespace tidegate
