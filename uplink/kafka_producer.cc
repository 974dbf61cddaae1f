#include "uplink/kafka_producer.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "core/kafka/error_kind.h"

namespace tidegate {

namespace {
using namespace std::chrono_literals;

// The most events that one turn of the loop serves; with `debug` set there can be very many.
constexpr int kEventsPerPoll = 1000;
constexpr uint64_t kWakePayload = 1;  // eventfd(2) adds these.
constexpr size_t kMaxTopics = 1000;
constexpr int kMetadataWaitMs = 1;
// Kafka's mark for a message without a timestamp. Without this mark the library sets one from the
// wall clock, which may be wrong.
constexpr int64_t kNoTimestamp = -1;
constexpr std::chrono::milliseconds kUnanswered = 4s;
constexpr Seq kFree = std::numeric_limits<Seq>::max();

// Called by broker threads. A bootstrap broker gets its id only after it is up; its name stays the
// same.
rd_kafka_resp_err_t OnBrokerState(rd_kafka_t* /*client*/, int32_t /*broker_id*/,
                                  const char* /*protocol*/, const char* name, int port,
                                  const char* state, void* opaque) {
  const std::string_view text(state);
  if (text == "UPDATE") return RD_KAFKA_RESP_ERR_NO_ERROR;  // UP follows.
  static_cast<LinkState*>(opaque)->OnBrokerState(fmt::format("{}:{}", name, port), text == "UP");
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t OnRequestSent(rd_kafka_t* /*client*/, int /*socket*/, const char* /*broker*/,
                                  int32_t /*broker_id*/, int16_t /*api*/, int16_t /*version*/,
                                  int32_t /*correlation*/, size_t size, void* opaque) {
  static_cast<LinkState*>(opaque)->CountSent(size);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t OnResponse(rd_kafka_t* /*client*/, int /*socket*/, const char* /*broker*/,
                               int32_t /*broker_id*/, int16_t /*api*/, int16_t /*version*/,
                               int32_t /*correlation*/, size_t size, int64_t /*round_trip*/,
                               rd_kafka_resp_err_t /*error*/, void* opaque) {
  static_cast<LinkState*>(opaque)->CountReceived(size);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t OnNewClient(rd_kafka_t* client, const rd_kafka_conf_t* /*conf*/, void* opaque,
                                char* /*errstr*/, size_t /*errstr_size*/) {
  rd_kafka_interceptor_add_on_request_sent(client, "tidegate", OnRequestSent, opaque);
  rd_kafka_interceptor_add_on_response_received(client, "tidegate", OnResponse, opaque);
  return rd_kafka_interceptor_add_on_broker_state_change(client, "tidegate", OnBrokerState, opaque);
}

// TCP repeats unacknowledged data at ever longer intervals, so that after a cut of a minute it may
// wait another minute although the link works. A connection without an answer for this time is
// dropped instead, and connecting is tried several times a second (ConnectAttempts). Slow links
// answer within this time.
int OpenSocket(int domain, int type, int protocol, void* /*opaque*/) {
  const int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
  if (fd < 0) return fd;
  const auto limit = static_cast<unsigned>(kUnanswered.count());
  static_cast<void>(setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof(limit)));
  return fd;
}

// The library holds the broker's lock during the call: nothing may wait here.
int Connect(int fd, const sockaddr* address, int size, const char* broker, void* opaque) {
  if (connect(fd, address, static_cast<socklen_t>(size)) != 0 && errno != EINPROGRESS) return errno;
  auto* link = static_cast<LinkState*>(opaque);
  if (link->attempts().Began(fd, broker)) link->Wake();
  return 0;
}

int CloseSocket(int fd, void* opaque) {
  static_cast<LinkState*>(opaque)->attempts().Ends(fd, ShortestRoundTrip(fd));
  return close(fd);
}

// The library copies the bytes (RD_KAFKA_MSG_F_COPY), although its interface takes them as
// writable.
rd_kafka_vu_t BytesArgument(rd_kafka_vtype_t type, const std::string& bytes) {
  rd_kafka_vu_t argument{};
  argument.vtype = type;
  argument.u.mem.ptr = const_cast<char*>(bytes.data());
  argument.u.mem.size = bytes.size();
  return argument;
}

kafka::HeadersHandle MakeHeaders(const WireMessage& message) {
  kafka::HeadersHandle headers(rd_kafka_headers_new(message.headers.size()));
  for (const auto& [name, value] : message.headers) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  return headers;
}

// The offset of a record that the library calls delivered although no broker has said so: its
// request was refused or lost, a later one of the partition was accepted, so the library concludes
// that the first was accepted too. That holds only if the broker knows this producer's sequence
// there. One that does not (the producer's first records in a partition, or the first in a day)
// accepts any sequence, and does not have the record.
constexpr int64_t kImplied = RD_KAFKA_OFFSET_INVALID;

// Lines that say nothing new: a fatal error is in failure(), and uplink_config.cc knows that
// gapless is experimental.
bool IsNoise(std::string_view facility, std::string_view text) {
  return facility == "FATAL" || text.find("enable.gapless.guarantee is experimental") != text.npos;
}

Delivery DeliveryFor(int code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return Delivery::kAcked;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
      return Delivery::kReturned;
    default:
      break;
  }
  switch (kafka::KindOf(code)) {
    case kafka::ErrorKind::kRejected:
      return Delivery::kRejected;
    case kafka::ErrorKind::kFatal:
      return Delivery::kReturned;
    case kafka::ErrorKind::kRetry:
      break;
  }
  return Delivery::kRetry;
}

Refusal RefusalFor(int code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
      return Refusal::kTimestamp;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      return Refusal::kSize;
    default:
      return Refusal::kOther;
  }
}
}  // namespace

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::Create(kafka::ConfHandle conf,
                                                             std::shared_ptr<LinkState> link,
                                                             kafka::ClientLog& log,
                                                             ClientEnds& ends) {
  rd_kafka_conf_set_events(conf.get(),
                           RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
  rd_kafka_conf_set_socket_cb(conf.get(), OpenSocket);
  rd_kafka_conf_set_connect_cb(conf.get(), Connect);
  rd_kafka_conf_set_closesocket_cb(conf.get(), CloseSocket);
  // `link` is kept alive until the client's last thread has ended: ClientEnds.
  rd_kafka_conf_set_opaque(conf.get(), link.get());
  rd_kafka_conf_interceptor_add_on_new(conf.get(), "tidegate", OnNewClient, link.get());
  std::array<char, 512> reason{};
  kafka::ClientHandle client(
      rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), reason.data(), reason.size()));
  if (!client) {
    return Error{ErrorCode::kInvalid, fmt::format("create kafka producer: {}", reason.data())};
  }
  static_cast<void>(conf.release());  // rd_kafka_new() owns it now.
  return std::unique_ptr<KafkaProducer>(
      new KafkaProducer(std::move(link), log, ends, std::move(client)));
}

KafkaProducer::KafkaProducer(std::shared_ptr<LinkState> link, kafka::ClientLog& log,
                             ClientEnds& ends, kafka::ClientHandle client)
    : link_(std::move(link)),
      log_(log),
      ends_(ends),
      client_(std::move(client)),
      queue_(rd_kafka_queue_get_main(client_.get())) {
  rd_kafka_set_log_queue(client_.get(), nullptr);  // To the main queue.
  rd_kafka_queue_io_event_enable(queue_.get(), link_->fd(), &kWakePayload, sizeof(kWakePayload));
  link_->Wake();  // Events may have arrived before.
}

KafkaProducer::~KafkaProducer() {
  rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
  queue_.reset();
  topics_.clear();
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                    RD_KAFKA_PURGE_F_NON_BLOCKING);
  ends_.End(std::move(client_), std::move(link_));
}

Status KafkaProducer::Send(Seq seq, const WireMessage& message) {
  CHECK(seq != kFree, "the seq is not the mark of a free slot");
  if (!failure_.empty()) return Error{ErrorCode::kFull, failure_};
  void* opaque = TakeSlot(seq);
  const int code = Produce(message, opaque);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const std::optional<Seq> freed = FreeSlot(opaque);
  CHECK(freed == seq, "a refused message gives back the slot that it took");
  return Refused(message, code);
}

rd_kafka_topic_t* KafkaProducer::TopicFor(const std::string& name) {
  const auto known = topics_.find(name);
  if (known != topics_.end()) return known->second.get();
  if (topics_.size() >= kMaxTopics) topics_.clear();
  kafka::TopicHandle topic(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
  if (topic) AskForPartitions(topic.get());
  return topics_.emplace(name, std::move(topic)).first->second.get();
}

// The library requests the partitions of a new topic when it is made, if a broker is ready at that
// moment, and otherwise once a second. The first record need not wait for that: this requests them
// as soon as there is a broker, and does not wait for the answer, which the library handles.
void KafkaProducer::AskForPartitions(rd_kafka_topic_t* topic) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t result =
      link_->connected() ? rd_kafka_metadata(client_.get(), 0, topic, &metadata, kMetadataWaitMs)
                         : RD_KAFKA_RESP_ERR__TRANSPORT;
  const kafka::MetadataHandle owner(metadata);
  ask_again_ = result == RD_KAFKA_RESP_ERR__TRANSPORT;  // No broker was ready.
}

int KafkaProducer::Produce(const WireMessage& message, void* opaque) {
  rd_kafka_topic_t* topic = TopicFor(message.topic);
  if (topic == nullptr) return RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
  kafka::HeadersHandle headers = MakeHeaders(message);
  std::array<rd_kafka_vu_t, 7> arguments{};
  size_t count = 0;
  arguments[count].vtype = RD_KAFKA_VTYPE_RKT;
  arguments[count++].u.rkt = topic;
  arguments[count++] = BytesArgument(RD_KAFKA_VTYPE_KEY, message.key);
  arguments[count++] = BytesArgument(RD_KAFKA_VTYPE_VALUE, message.value);
  arguments[count].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[count++].u.headers = headers.get();
  arguments[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[count++].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
  arguments[count++].u.ptr = opaque;
  arguments[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  arguments[count++].u.i64 =
      message.timestamp ? message.timestamp->time_since_epoch().count() : kNoTimestamp;
  const kafka::ErrorHandle error(rd_kafka_produceva(client_.get(), arguments.data(), count));
  if (error) return rd_kafka_error_code(error.get());
  static_cast<void>(headers.release());  // The message owns them now.
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

Status KafkaProducer::Refused(const WireMessage& message, int code) {
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    return Error{ErrorCode::kFull, "produce: the queue is full"};
  }
  std::string text = fmt::format("produce to {}: {}", message.topic, kafka::DescribeError(code));
  switch (kafka::KindOf(code)) {
    case kafka::ErrorKind::kRejected:
      return Error{ErrorCode::kRejected, std::move(text)};
    case kafka::ErrorKind::kFatal:
      NoteFatal();
      return Error{ErrorCode::kFull, std::move(text)};
    case kafka::ErrorKind::kRetry:
      break;
  }
  return Error{ErrorCode::kUnavailable, std::move(text)};
}

void KafkaProducer::Poll(const OnReport& on_report) {
  if (ask_again_ && link_->connected()) AskForPartitions(nullptr);
  for (int served = 0; served < kEventsPerPoll; ++served) {
    const kafka::EventHandle event(rd_kafka_queue_poll(queue_.get(), 0));
    if (!event) return;
    switch (rd_kafka_event_type(event.get())) {
      case RD_KAFKA_EVENT_DR:
        OnReports(event.get(), on_report);
        break;
      case RD_KAFKA_EVENT_ERROR:
        // The library handles errors that are not fatal itself, and logs them.
        if (rd_kafka_event_error_is_fatal(event.get()) != 0) NoteFatal();
        break;
      case RD_KAFKA_EVENT_LOG: {
        const char* facility = "";
        const char* text = "";
        int severity = 0;
        if (rd_kafka_event_log(event.get(), &facility, &text, &severity) == 0 &&
            !IsNoise(facility, text)) {
          log_.OnLine(severity, facility, text);
        }
        break;
      }
      default:
        break;
    }
  }
  link_->Wake();  // The rest is for the next turn.
}

void KafkaProducer::OnReports(rd_kafka_event_t* event, const OnReport& on_report) {
  while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
    const std::optional<Seq> seq = FreeSlot(message->_private);
    if (!seq) {
      log_.OnLine(LOG_ERR, "REPORT", "ignored a report for a message that is not in flight");
      continue;
    }
    Transport::Report report{*seq, DeliveryFor(message->err), {}, RefusalFor(message->err)};
    if (report.delivery == Delivery::kAcked && message->offset == kImplied) {
      report.delivery = Delivery::kRetry;
      report.reason = fmt::format("deliver to {}: acknowledged only by what was sent after it",
                                  rd_kafka_topic_name(message->rkt));
    } else if (report.delivery != Delivery::kAcked) {
      report.reason = fmt::format("deliver to {}: {}", rd_kafka_topic_name(message->rkt),
                                  kafka::DescribeError(message->err));
      if (kafka::KindOf(message->err) == kafka::ErrorKind::kFatal) NoteFatal();
    }
    on_report(std::move(report));
  }
}

void KafkaProducer::Fail(std::string reason) {
  if (failure_.empty()) failure_ = std::move(reason);
}

void KafkaProducer::NoteFatal() {
  if (!failure_.empty()) return;
  std::array<char, 512> reason{};
  const rd_kafka_resp_err_t code =
      rd_kafka_fatal_error(client_.get(), reason.data(), reason.size());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    failure_ =
        fmt::format("kafka producer failed: {}: {}", kafka::DescribeError(code), reason.data());
  } else {
    failure_ = "kafka producer failed";
  }
}

void KafkaProducer::Abandon(const OnReport& on_report) {
  CHECK(!failure_.empty(), "only a failed producer is abandoned");
  size_t unreported = in_flight();
  for (Seq& slot : slots_) {
    if (slot == kFree) continue;
    --unreported;
    on_report({std::exchange(slot, kFree), Delivery::kReturned, failure_, Refusal::kOther});
  }
  CHECK(unreported == 0, "each record in flight got its report");
  slots_.clear();
  free_slots_.clear();
}

void* KafkaProducer::TakeSlot(Seq seq) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.push_back(kFree);
  }
  const uint32_t slot = free_slots_.back();
  CHECK(slots_[slot] == kFree, "a slot holds one record");
  free_slots_.pop_back();
  slots_[slot] = seq;
  return reinterpret_cast<void*>(static_cast<uintptr_t>(slot) + 1);
}

// This is no check, because the library names the slot. Known gap: a second report for a message
// whose slot holds a later record by then cannot be told from that record's own.
std::optional<Seq> KafkaProducer::FreeSlot(const void* opaque) {
  const auto slot = reinterpret_cast<uintptr_t>(opaque) - 1;
  if (slot >= slots_.size() || slots_[slot] == kFree) return std::nullopt;
  free_slots_.push_back(static_cast<uint32_t>(slot));
  return std::exchange(slots_[slot], kFree);
}

}  // namespace tidegate
