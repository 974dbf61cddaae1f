#include "reader/consume/kafka_publisher.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"
#include "core/kafka/error_kind.h"
#include "core/kafka/kafka_handle.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr milliseconds kPollInterval{100};

// The library copies the bytes, and only reads them.
rd_kafka_vu_t Bytes(rd_kafka_vtype_t type, const std::string* bytes, size_t size) {
  rd_kafka_vu_t argument{};
  argument.vtype = type;
  argument.u.mem.ptr = bytes ? const_cast<char*>(bytes->data()) : nullptr;
  argument.u.mem.size = size;
  return argument;
}

kafka::HeadersHandle HeadersFor(const Outgoing& message) {
  kafka::HeadersHandle headers(rd_kafka_headers_new(message.headers.size()));
  for (const auto& [name, value] : message.headers) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  return headers;
}
}  // namespace

struct KafkaPublisher::Attempt {
  bool pending = false;
  rd_kafka_resp_err_t answer = RD_KAFKA_RESP_ERR__STATE;
  int32_t partition = 0;
  int64_t offset = 0;
};

// The client and its callbacks.
class KafkaPublisher::Producer {
 public:
  static Result<std::unique_ptr<Producer>> Open(const Options& options, kafka::ClientLog& log);
  ~Producer() { Purge(); }

  // Queues the message. The answer is written to `attempt`, which must live as long as it is
  // pending.
  void Send(const std::string& topic, const Outgoing& message, Attempt& attempt);
  void Poll(milliseconds wait) { rd_kafka_poll(client_.get(), static_cast<int>(wait.count())); }
  // Has the library answer for everything that is pending.
  void Purge();
  bool dead() const {
    return rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
  }

 private:
  static void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void*);

  kafka::ClientHandle client_;
};

Result<std::unique_ptr<KafkaPublisher::Producer>> KafkaPublisher::Producer::Open(
    const Options& options, kafka::ClientLog& log) {
  Result<kafka::ConfHandle> conf = kafka::MakeConf(options.request);
  if (!conf.ok()) return conf.error();
  log.Attach(conf->get());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), OnDelivery);
  std::array<char, 512> reason{};
  rd_kafka_conf_set(conf->get(), "log.queue", "true", reason.data(), reason.size());
  auto producer = std::make_unique<Producer>();
  producer->client_.reset(
      rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), reason.data(), reason.size()));
  if (!producer->client_) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("start the producer of {}: {}", options.name, reason.data())};
  }
  static_cast<void>(conf->release());  // The client owns it now.
  rd_kafka_set_log_queue(producer->client_.get(), nullptr);
  return producer;
}

void KafkaPublisher::Producer::Send(const std::string& topic, const Outgoing& message,
                                    Attempt& attempt) {
  CHECK(!attempt.pending, "an attempt is sent again only after its answer");
  kafka::HeadersHandle headers = HeadersFor(message);
  std::array<rd_kafka_vu_t, 6> arguments{};
  arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  arguments[0].u.cstr = topic.c_str();
  arguments[1] = Bytes(RD_KAFKA_VTYPE_KEY, message.key, message.key ? message.key->size() : 0);
  arguments[2] = Bytes(RD_KAFKA_VTYPE_VALUE, message.value, message.value_bytes);
  arguments[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[3].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[4].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[4].u.headers = headers.get();
  arguments[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
  arguments[5].u.ptr = &attempt;  // Taken back by OnDelivery.
  const kafka::ErrorHandle error(
      rd_kafka_produceva(client_.get(), arguments.data(), arguments.size()));
  attempt.answer = error ? rd_kafka_error_code(error.get()) : RD_KAFKA_RESP_ERR_NO_ERROR;
  attempt.pending = !error;
  if (!error) static_cast<void>(headers.release());  // The message owns them now.
}

void KafkaPublisher::Producer::Purge() {
  if (!client_) return;
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_.get(), 1'000);
}

void KafkaPublisher::Producer::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  auto* attempt = static_cast<Attempt*>(message->_private);
  attempt->answer = message->err;
  attempt->partition = message->partition;
  attempt->offset = message->offset;
  attempt->pending = false;
}

KafkaPublisher::KafkaPublisher(Options options, const Clock& clock, const Log& log)
    : options_(std::move(options)), clock_(clock), client_log_(log, clock, options_.name) {}
KafkaPublisher::~KafkaPublisher() = default;

Status KafkaPublisher::EnsureProducer() {
  // After a fatal error the library's producer never sends again.
  if (producer_ && producer_->dead()) producer_.reset();
  if (producer_) return {};
  Result<std::unique_ptr<Producer>> producer = Producer::Open(options_, client_log_);
  if (!producer.ok()) return producer.error();
  producer_ = std::move(producer).value();
  return {};
}

std::vector<Result<Position>> KafkaPublisher::Publish(std::span<const Outgoing> messages) {
  if (Status status = EnsureProducer(); !status.ok())
    return std::vector<Result<Position>>(messages.size(), status.error());
  std::vector<Attempt> attempts(messages.size());
  for (size_t i = 0; i < messages.size(); ++i)
    producer_->Send(options_.topic, messages[i], attempts[i]);
  const BootTime deadline = clock_.SinceBoot() + options_.patience;
  const auto pending = [&] { return std::ranges::any_of(attempts, &Attempt::pending); };
  while (pending() && clock_.SinceBoot() < deadline) producer_->Poll(kPollInterval);
  if (pending()) {
    // The attempts must not be written to after this call.
    producer_->Purge();
    if (pending()) producer_.reset();
  }
  std::vector<Result<Position>> answers;
  for (Attempt& attempt : attempts) {
    if (std::exchange(attempt.pending, false)) attempt.answer = RD_KAFKA_RESP_ERR__TIMED_OUT;
    answers.push_back(Answer(attempt));
  }
  CHECK(answers.size() == messages.size(), "each message has an answer");
  return answers;
}

Result<Position> KafkaPublisher::Answer(const Attempt& attempt) const {
  if (attempt.answer == RD_KAFKA_RESP_ERR_NO_ERROR)
    return Position{{options_.topic, attempt.partition}, attempt.offset + 1};
  const bool too_large = attempt.answer == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  return Error{
      too_large ? ErrorCode::kRejected : ErrorCode::kUnavailable,
      fmt::format("publish to {}: {}", options_.topic, kafka::DescribeError(attempt.answer))};
}

}  // namespace tidegate::reader
