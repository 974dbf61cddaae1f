#include "reader/consume/kafka_dead_letters.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/time_format.h"

namespace tidegate::reader {

namespace {
// How much of the message is sent. Each form is smaller; the last one has some 2 KB.
enum class Form { kWhole, kTruncated, kReasonOnly };

using Headers = std::vector<std::pair<std::string, std::string>>;

Headers HeadersFor(const DeadLetter& letter, Form form, size_t kept_bytes) {
  const SourceMessage& message = *letter.message;
  Headers headers;
  if (form != Form::kReasonOnly) headers = message.headers;
  // A producer's headers of these names would be taken for ours.
  std::erase_if(headers, [](const auto& header) { return header.first.starts_with(kDlqPrefix); });
  const auto add = [&](std::string_view name, std::string value) {
    headers.emplace_back(std::string(name), std::move(value));
  };
  add(kHeaderDlqReason, Describe(*letter.refusal));
  add(kHeaderDlqTime, FormatTime(letter.time));
  add(kHeaderDlqTopic, message.partition.topic);
  add(kHeaderDlqPartition, fmt::format("{}", message.partition.number));
  add(kHeaderDlqOffset, fmt::format("{}", message.offset));
  if (letter.epoch > 0) add(kHeaderDlqEpoch, fmt::format("{}", letter.epoch));
  if (message.timestamp) add(kHeaderDlqTimestamp, FormatTime(*message.timestamp));
  const size_t size = message.value ? message.value->size() : 0;
  if (kept_bytes < size) add(kHeaderDlqTruncated, fmt::format("{}", size));
  return headers;
}

Outgoing MessageFor(const DeadLetter& letter, Form form, size_t truncated_bytes) {
  CHECK(letter.message && letter.refusal, "a letter has a message and a reason");
  const SourceMessage& message = *letter.message;
  size_t kept = message.value ? message.value->size() : 0;
  if (form == Form::kTruncated) kept = std::min(kept, truncated_bytes);
  if (form == Form::kReasonOnly) kept = 0;
  const bool has_key = message.key && form != Form::kReasonOnly;
  return {.key = has_key ? &*message.key : nullptr,
          .value = message.value ? &*message.value : nullptr,
          .value_bytes = kept,
          .headers = HeadersFor(letter, form, kept)};
}

Status Unless(const Result<Position>& answer) {
  return answer.ok() ? Status() : Status(answer.error());
}
}  // namespace

KafkaDeadLetters::KafkaDeadLetters(Options options, const Clock& clock, const Log& log)
    : truncated_bytes_(options.truncated_bytes),
      clock_(clock),
      log_(log),
      publisher_({.request = std::move(options.request),
                  .topic = std::move(options.topic),
                  .name = "dead letters",
                  .patience = options.patience},
                 clock, log) {}

std::vector<Status> KafkaDeadLetters::Publish(std::span<const DeadLetter> letters) {
  std::vector<Outgoing> messages;
  for (const DeadLetter& letter : letters)
    messages.push_back(MessageFor(letter, Form::kWhole, truncated_bytes_));
  const std::vector<Result<Position>> answers = publisher_.Publish(messages);
  std::vector<Status> statuses;
  for (size_t i = 0; i < letters.size(); ++i) {
    const bool too_large = !answers[i].ok() && answers[i].error().code == ErrorCode::kRejected;
    statuses.push_back(too_large ? Shrink(letters[i], letters.size() == 1, answers[i].error())
                                 : Unless(answers[i]));
  }
  CHECK(statuses.size() == letters.size(), "each letter has a status");
  return statuses;
}

Status KafkaDeadLetters::Shrink(const DeadLetter& letter, bool tried_alone, const Error& refusal) {
  // A request is refused whole, so only what is refused alone is proven to be too large.
  Result<Position> answer = refusal;
  for (const Form form : {Form::kWhole, Form::kTruncated, Form::kReasonOnly}) {
    if (form == Form::kWhole && tried_alone) continue;
    const Outgoing message = MessageFor(letter, form, truncated_bytes_);
    answer = publisher_.Publish({&message, 1}).front();
    if (answer.ok() || answer.error().code != ErrorCode::kRejected) return Unless(answer);
  }
  if (const auto count = lost_log_.Count(clock_.SinceBoot())) {
    const Partition& from = letter.message->partition;
    log_.Error(
        "{} dead letters are lost: {}, without key, value and headers; the last, {} [{}] "
        "offset {}: {}",
        *count, answer.error().message, from.topic, from.number, letter.message->offset,
        Describe(*letter.refusal));
  }
  return Unless(answer);
}

}  // namespace tidegate::reader
