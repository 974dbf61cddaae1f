#include "reader/consume/kafka_consumer.h"

#include <fmt/format.h>

#include <array>

namespace tidegate::reader {

Result<kafka::ClientHandle> StartConsumer(kafka::ConfHandle conf) {
  std::array<char, 512> reason{};
  rd_kafka_conf_set(conf.get(), "log.queue", "true", reason.data(), reason.size());
  kafka::ClientHandle client(
      rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), reason.data(), reason.size()));
  if (!client)
    return Error{ErrorCode::kInvalid, fmt::format("start the kafka consumer: {}", reason.data())};
  static_cast<void>(conf.release());  // The client owns it now.
  rd_kafka_set_log_queue(client.get(), nullptr);
  rd_kafka_poll_set_consumer(client.get());
  return client;
}

}  // namespace tidegate::reader
