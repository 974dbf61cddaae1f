#include "tests/support/fake_mqtt_broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace tidegate {
namespace {

constexpr uint8_t kConnect = 0x10;
constexpr uint8_t kConnack = 0x20;
constexpr uint8_t kPublish = 0x30;
constexpr uint8_t kPuback = 0x40;
constexpr uint8_t kSubscribe = 0x80;
constexpr uint8_t kSuback = 0x90;
constexpr uint8_t kUnsubscribe = 0xa0;
constexpr uint8_t kUnsuback = 0xb0;
constexpr uint8_t kPingreq = 0xc0;
constexpr uint8_t kPingresp = 0xd0;
constexpr uint8_t kDisconnect = 0xe0;

constexpr uint8_t kRetain = 0x01;

constexpr int kVersion5 = 5;
constexpr int kNotAuthorized = 0x87;

// A test cannot go on without its broker.
void Require(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::abort();
}

void AppendLength(std::string& to, size_t length) {
  do {
    const auto byte = static_cast<uint8_t>(length % 128);
    length /= 128;
    to.push_back(static_cast<char>(length > 0 ? byte | 128 : byte));
  } while (length > 0);
}

void AppendUint16(std::string& to, size_t value) {
  to.push_back(static_cast<char>(value >> 8));
  to.push_back(static_cast<char>(value & 0xff));
}

std::string Packet(uint8_t type, std::string_view body) {
  std::string packet(1, static_cast<char>(type));
  AppendLength(packet, body.size());
  packet += body;
  return packet;
}

// Reads what the client under test wrote; a malformed packet ends the test.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  uint8_t Byte() {
    Require(!rest_.empty(), "malformed packet from the client");
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  int Uint16() {
    const int high = Byte();
    return high * 256 + Byte();
  }
  std::string Bytes(size_t count) {
    Require(rest_.size() >= count, "malformed packet from the client");
    std::string bytes(rest_.substr(0, count));
    rest_.remove_prefix(count);
    return bytes;
  }
  std::string String() { return Bytes(static_cast<size_t>(Uint16())); }
  // Properties are shorter than 128 bytes here.
  std::string Properties() { return Bytes(Byte()); }

 private:
  std::string_view rest_;
};

}  // namespace

FakeMqttBroker::FakeMqttBroker(Loop& loop) : loop_(loop) {
  listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const int fd = listener_.get();
  Require(fd >= 0 && ::bind(fd, any, size) == 0 && ::listen(fd, 8) == 0 &&
              ::getsockname(fd, any, &size) == 0,
          "listen");
  port_ = ntohs(address.sin_port);
  listener_watch_ = loop_.WatchFd(fd, [this](Ready) { OnClient(); });
}

FakeMqttBroker::~FakeMqttBroker() {
  Drop();
  StopListening();
}

void FakeMqttBroker::Speak(bool five, bool three) {
  speaks_five_ = five;
  speaks_three_ = three;
}

void FakeMqttBroker::StopListening() {
  listener_watch_.reset();
  listener_ = UniqueFd();
}

void FakeMqttBroker::Drop() {
  client_watch_.reset();
  client_ = UniqueFd();
  in_.clear();
  out_.clear();
  pending_.clear();
  in_flight_ = 0;
  accepted_ = false;
}

void FakeMqttBroker::OnClient() {
  UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!client.valid()) return;
  Drop();
  client_ = std::move(client);
  client_watch_ = loop_.WatchFd(client_.get(), [this](Ready ready) {
    if (ready.writable) Flush();
    if (connected() && (ready.readable || ready.hung_up)) OnReadable();
  });
}

void FakeMqttBroker::OnReadable() {
  std::array<char, 65536> buffer;
  const ssize_t count = ::recv(client_.get(), buffer.data(), buffer.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    Drop();
    return;
  }
  in_.append(buffer.data(), static_cast<size_t>(count));
  while (connected() && TakePacket()) {
  }
}

bool FakeMqttBroker::TakePacket() {
  size_t length = 0;
  size_t at = 1;
  for (size_t shift = 0;; shift += 7) {
    if (at >= in_.size()) return false;
    const auto byte = static_cast<uint8_t>(in_[at++]);
    length |= static_cast<size_t>(byte & 127) << shift;
    if ((byte & 128) == 0) break;
  }
  if (in_.size() < at + length) return false;
  const auto type = static_cast<uint8_t>(in_[0] & 0xf0);
  const std::string body = in_.substr(at, length);
  in_.erase(0, at + length);
  OnPacket(type, body);
  return true;
}

void FakeMqttBroker::OnPacket(uint8_t type, std::string_view body) {
  if (type == kConnect) OnConnect(body);
  if (type == kSubscribe) OnSubscribe(body);
  if (type == kUnsubscribe) OnUnsubscribe(body);
  if (type == kDisconnect) ++disconnects_;
  if (type == kPuback) {
    pubacks_.push_back(static_cast<uint16_t>(Reader(body).Uint16()));
    if (in_flight_ > 0) --in_flight_;
    SendPending();
  }
  if (type == kPingreq) {
    ++pings_;
    if (answer_pings_) Send(Packet(kPingresp, {}));
  }
}

void FakeMqttBroker::OnConnect(std::string_view body) {
  Reader reader(body);
  Connect connect;
  reader.String();  // "MQTT"
  connect.version = reader.Byte();
  const uint8_t flags = reader.Byte();
  connect.clean_start = (flags & 0x02) != 0;
  connect.keepalive = reader.Uint16();
  if (connect.version == kVersion5) connect.properties = reader.Properties();
  connect.client_id = reader.String();
  if ((flags & 0x80) != 0) connect.username = reader.String();
  if ((flags & 0x40) != 0) connect.password = reader.String();
  connects_.push_back(connect);
  version_ = connect.version;
  if (!(version_ == kVersion5 ? speaks_five_ : speaks_three_)) {
    Refuse(version_);
    return;
  }
  if (std::exchange(publish_first_, false)) Send(PublishPacket("f/early/bird", "{}", 1));
  accepted_ = true;
  SendConnack();
}

void FakeMqttBroker::SendConnack() {
  std::string accept("\0\0\0", version_ == kVersion5 ? 3 : 2);
  if (resume_) accept[0] = '\1';
  Send(Packet(kConnack, accept));
}

void FakeMqttBroker::Refuse(int version) {
  switch (refusal_) {
    case Refusal::kV3Connack:
      Send(Packet(kConnack, std::string("\0\1", 2)));
      break;
    case Refusal::kV3Code:
      Send(Packet(kConnack, std::string("\0\1\0", 3)));
      break;
    case Refusal::kV5Connack:
      Send(Packet(kConnack, std::string("\0\x84\0", 3)));
      break;
    case Refusal::kNotAllowed:
      Send(Packet(kConnack,
                  version == kVersion5 ? std::string("\0\x87\0", 3) : std::string("\0\5", 2)));
      break;
    case Refusal::kSilence:
      return;
    case Refusal::kClose:
      break;
  }
  Drop();
}

void FakeMqttBroker::OnSubscribe(std::string_view body) {
  Reader reader(body);
  const int id = reader.Uint16();
  if (version_ == kVersion5) reader.Properties();
  subscriptions_.push_back(reader.String());
  std::string answer;
  AppendUint16(answer, static_cast<size_t>(id));
  if (version_ == kVersion5) answer.push_back('\0');
  answer.push_back(
      static_cast<char>(std::exchange(refuse_next_, false) ? kNotAuthorized : granted_));
  Send(Packet(kSuback, answer));
}

void FakeMqttBroker::OnUnsubscribe(std::string_view body) {
  Reader reader(body);
  const int id = reader.Uint16();
  if (version_ == kVersion5) reader.Properties();
  unsubscriptions_.push_back(reader.String());
  std::string answer;
  AppendUint16(answer, static_cast<size_t>(id));
  if (version_ == kVersion5) answer.append(2, '\0');
  Send(Packet(kUnsuback, answer));
}

std::string FakeMqttBroker::PublishPacket(std::string_view topic, std::string_view payload,
                                          int qos) {
  std::string body;
  AppendUint16(body, topic.size());
  body += topic;
  if (qos > 0) AppendUint16(body, next_id_++);
  if (version_ == kVersion5) body.push_back('\0');
  body += payload;
  return Packet(static_cast<uint8_t>(kPublish | (qos << 1)), body);
}

void FakeMqttBroker::Publish(std::string_view topic, std::string_view payload, int qos) {
  pending_.push_back({PublishPacket(topic, payload, qos), qos > 0});
  SendPending();
}

void FakeMqttBroker::PublishRetained(std::string_view topic, std::string_view payload) {
  std::string packet = PublishPacket(topic, payload, 1);
  packet[0] = static_cast<char>(packet[0] | kRetain);
  pending_.push_back({std::move(packet), true});
  SendPending();
}

void FakeMqttBroker::SendPending() {
  size_t count = 0;
  for (const Pending& pending : pending_) {
    if (!accepted_ || (pending.counts && window_ > 0 && in_flight_ >= window_)) break;
    if (pending.counts) ++in_flight_;
    out_ += pending.packet;
    ++count;
  }
  sent_ += count;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  Flush();
}

void FakeMqttBroker::Send(std::string packet) {
  out_ += packet;
  Flush();
}

void FakeMqttBroker::Flush() {
  if (!connected()) return;
  const ssize_t count = ::send(client_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
  if (count > 0) out_.erase(0, static_cast<size_t>(count));
  client_watch_->Want(true, !out_.empty());
}

}  // namespace tidegate
