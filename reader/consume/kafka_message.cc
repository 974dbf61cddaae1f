#include "reader/consume/kafka_message.h"

#include <chrono>

#include "core/check.h"
#include "core/kafka/kafka_handle.h"

namespace tidegate::reader {

namespace {
std::string BytesOf(const void* bytes, size_t size) {
  return std::string(static_cast<const char*>(bytes), size);
}

std::vector<std::pair<std::string, std::string>> HeadersOf(const rd_kafka_message_t* message) {
  std::vector<std::pair<std::string, std::string>> headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  headers.reserve(rd_kafka_header_cnt(list));
  for (size_t i = 0;
       rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers.emplace_back(name, value ? BytesOf(value, size) : std::string());
  }
  return headers;
}
}  // namespace

SourceMessage ToMessage(const rd_kafka_message_t* message) {
  CHECK(message->err == RD_KAFKA_RESP_ERR_NO_ERROR, "an error is no message");
  SourceMessage out;
  out.partition = {rd_kafka_topic_name(message->rkt), message->partition};
  out.offset = message->offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const int64_t timestamp = rd_kafka_message_timestamp(message, &type);
  if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && timestamp >= 0)
    out.timestamp = WallTime(std::chrono::milliseconds(timestamp));
  if (message->key) out.key = BytesOf(message->key, message->key_len);
  if (message->payload) out.value = BytesOf(message->payload, message->len);
  out.headers = HeadersOf(message);
  return out;
}

}  // namespace tidegate::reader
