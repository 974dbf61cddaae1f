#include "reader/consume/kafka_dead_letters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"
#include "core/kafka/error_kind.h"
#include "core/kafka/kafka_handle.h"
#include "core/time_format.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr milliseconds kPollInterval{100};

// How much of the message is sent. Each form is smaller, and the last one always fits.
enum class Form { kWhole, kTruncated, kReasonOnly };

void AddHeader(rd_kafka_headers_t* headers, std::string_view name, std::string_view value) {
  rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                      static_cast<ssize_t>(value.size()));
}

// nullptr is Kafka's null. The library copies the bytes, and only reads them.
rd_kafka_vu_t Bytes(rd_kafka_vtype_t type, const std::string* bytes, size_t size) {
  rd_kafka_vu_t argument{};
  argument.vtype = type;
  argument.u.mem.ptr = bytes ? const_cast<char*>(bytes->data()) : nullptr;
  argument.u.mem.size = size;
  return argument;
}

kafka::HeadersHandle HeadersFor(const DeadLetter& letter, Form form, size_t kept_bytes) {
  const SourceMessage& message = *letter.message;
  kafka::HeadersHandle headers(rd_kafka_headers_new(message.headers.size() + 7));
  if (form != Form::kReasonOnly) {
    for (const auto& [name, value] : message.headers) AddHeader(headers.get(), name, value);
  }
  AddHeader(headers.get(), kHeaderDlqReason, Describe(*letter.refusal));
  AddHeader(headers.get(), kHeaderDlqTime, FormatTime(letter.time));
  AddHeader(headers.get(), kHeaderDlqTopic, message.partition.topic);
  AddHeader(headers.get(), kHeaderDlqPartition, fmt::format("{}", message.partition.number));
  AddHeader(headers.get(), kHeaderDlqOffset, fmt::format("{}", message.offset));
  if (message.timestamp)
    AddHeader(headers.get(), kHeaderDlqTimestamp, FormatTime(*message.timestamp));
  const size_t size = message.value ? message.value->size() : 0;
  if (kept_bytes < size) AddHeader(headers.get(), kHeaderDlqTruncated, fmt::format("{}", size));
  return headers;
}
}  // namespace

struct KafkaDeadLetters::Attempt {
  const DeadLetter* letter;
  Form form = Form::kWhole;
  bool pending = false;
  rd_kafka_resp_err_t answer = RD_KAFKA_RESP_ERR__STATE;
};

// The client and its callbacks.
class KafkaDeadLetters::Producer {
 public:
  static Result<std::unique_ptr<Producer>> Open(const kafka::ConfigRequest& request,
                                                kafka::ClientLog& log);
  ~Producer() { Purge(); }

  // Queues the letter. The answer is written to `attempt`, which must live as long as it is
  // pending.
  void Send(const std::string& topic, Attempt& attempt, size_t truncated_bytes);
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

Result<std::unique_ptr<KafkaDeadLetters::Producer>> KafkaDeadLetters::Producer::Open(
    const kafka::ConfigRequest& request, kafka::ClientLog& log) {
  Result<kafka::ConfHandle> conf = kafka::MakeConf(request);
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
                 fmt::format("start the producer of dead letters: {}", reason.data())};
  }
  static_cast<void>(conf->release());  // The client owns it now.
  rd_kafka_set_log_queue(producer->client_.get(), nullptr);
  return producer;
}

void KafkaDeadLetters::Producer::Send(const std::string& topic, Attempt& attempt,
                                      size_t truncated_bytes) {
  CHECK(!attempt.pending, "an attempt is sent again only after its answer");
  const SourceMessage& message = *attempt.letter->message;
  size_t kept = message.value ? message.value->size() : 0;
  if (attempt.form == Form::kTruncated) kept = std::min(kept, truncated_bytes);
  if (attempt.form == Form::kReasonOnly) kept = 0;
  kafka::HeadersHandle headers = HeadersFor(*attempt.letter, attempt.form, kept);
  const bool has_key = message.key && attempt.form != Form::kReasonOnly;
  std::array<rd_kafka_vu_t, 6> arguments{};
  arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  arguments[0].u.cstr = topic.c_str();
  arguments[1] = Bytes(RD_KAFKA_VTYPE_KEY, has_key ? &*message.key : nullptr,
                       has_key ? message.key->size() : 0);
  arguments[2] = Bytes(RD_KAFKA_VTYPE_VALUE, message.value ? &*message.value : nullptr, kept);
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

void KafkaDeadLetters::Producer::Purge() {
  if (!client_) return;
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_.get(), 1'000);
}

void KafkaDeadLetters::Producer::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  auto* attempt = static_cast<Attempt*>(message->_private);
  attempt->answer = message->err;
  attempt->pending = false;
}

KafkaDeadLetters::KafkaDeadLetters(Options options, const Clock& clock, const Log& log)

    : options_(std::move(options)), clock_(clock), client_log_(log, clock, "dead letters") {}
KafkaDeadLetters::~KafkaDeadLetters() = default;

Status KafkaDeadLetters::EnsureProducer() {
  // After a fatal error the library's producer never sends again.
  if (producer_ && producer_->dead()) producer_.reset();
  if (producer_) return {};
  Result<std::unique_ptr<Producer>> producer = Producer::Open(options_.request, client_log_);
  if (!producer.ok()) return producer.error();
  producer_ = std::move(producer).value();
  return {};
}

void KafkaDeadLetters::Round(std::span<Attempt> attempts) {
  for (Attempt& attempt : attempts)
    producer_->Send(options_.topic, attempt, options_.truncated_bytes);
  const BootTime deadline = clock_.SinceBoot() + options_.patience;
  const auto pending = [&] { return std::ranges::any_of(attempts, &Attempt::pending); };
  while (pending() && clock_.SinceBoot() < deadline) producer_->Poll(kPollInterval);
  if (!pending()) return;
  // The attempts must not be written to after this call.
  producer_->Purge();
  if (pending()) producer_.reset();
  for (Attempt& attempt : attempts) {
    if (!std::exchange(attempt.pending, false)) continue;
    attempt.answer = RD_KAFKA_RESP_ERR__TIMED_OUT;
  }
}

std::vector<Status> KafkaDeadLetters::Publish(std::span<const DeadLetter> letters) {
  std::vector<Status> statuses;
  if (Status status = EnsureProducer(); !status.ok())
    return std::vector<Status>(letters.size(), status);
  std::vector<Attempt> attempts;
  for (const DeadLetter& letter : letters) {
    CHECK(letter.message && letter.refusal, "a letter has a message and a reason");
    attempts.push_back({&letter});
  }
  Round(attempts);
  for (Attempt& attempt : attempts) {
    if (attempt.answer == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
      Shrink(attempt, attempts.size() == 1);
    if (attempt.answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
      statuses.push_back({});
    } else {
      statuses.push_back(Error{
          ErrorCode::kUnavailable,
          fmt::format("publish to {}: {}", options_.topic, kafka::DescribeError(attempt.answer))});
    }
  }
  CHECK(statuses.size() == letters.size(), "each letter has a status");
  return statuses;
}

void KafkaDeadLetters::Shrink(Attempt& attempt, bool tried_alone) {
  // A request is refused whole, so only what is refused alone is proven to be too large.
  Form form = tried_alone ? Form::kTruncated : Form::kWhole;
  while (producer_ && attempt.answer == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    attempt.form = form;
    Round({&attempt, 1});
    if (form == Form::kReasonOnly) return;
    form = form == Form::kWhole ? Form::kTruncated : Form::kReasonOnly;
  }
}

}  // namespace tidegate::reader
