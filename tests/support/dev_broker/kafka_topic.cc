#include "tests/support/dev_broker/kafka_topic.h"

#include <array>
#include <cstdlib>

#include "core/kafka/kafka_handle.h"
#include "tests/support/dev_broker/kafka_topic_handle.h"

namespace tidegate {

namespace {
constexpr int kReadTimeoutMs = 5000;
constexpr int kAdminTimeoutMs = 15000;

std::string Bytes(const void* data, size_t size) {
  return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
}

std::map<std::string, std::string> HeadersOf(const rd_kafka_message_t* message) {
  std::map<std::string, std::string> headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers[name] = Bytes(value, size);
  }
  return headers;
}

KafkaMessage Convert(const rd_kafka_message_t* message) {
  return {message->partition,
          message->offset,
          Bytes(message->key, message->key_len),
          Bytes(message->payload, message->len),
          HeadersOf(message),
          rd_kafka_message_timestamp(message, nullptr)};
}

// The partitions of the topic, each from its beginning.
kafka::PartitionListHandle Beginnings(rd_kafka_t* client, const std::string& topic) {
  kafka::PartitionListHandle list(rd_kafka_topic_partition_list_new(4));
  const kafka::TopicHandle handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* raw = nullptr;
  rd_kafka_metadata(client, 0, handle.get(), &raw, kReadTimeoutMs);
  const kafka::MetadataHandle metadata(raw);
  if (!metadata || metadata->topic_cnt != 1) return list;
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  return list;
}
}  // namespace

kafka::ClientHandle MakeQuietClient(rd_kafka_type_t type,
                                    const std::map<std::string, std::string>& properties) {
  kafka::ConfHandle conf(rd_kafka_conf_new());
  std::array<char, 512> reason{};
  for (const auto& [name, value] : properties) {
    rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(), reason.size());
  }
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  kafka::ClientHandle client(rd_kafka_new(type, conf.get(), reason.data(), reason.size()));
  if (!client) std::abort();
  static_cast<void>(conf.release());
  return client;
}

std::vector<KafkaMessage> ReadTopic(const std::string& bootstrap_servers,
                                    const std::string& topic) {
  const kafka::ClientHandle client =
      MakeQuietClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", bootstrap_servers},
                                          {"group.id", "tidegate-test-read"},
                                          {"enable.auto.commit", "false"},
                                          {"enable.partition.eof", "true"}});
  rd_kafka_poll_set_consumer(client.get());
  const kafka::PartitionListHandle partitions = Beginnings(client.get(), topic);
  rd_kafka_assign(client.get(), partitions.get());
  std::map<int32_t, std::vector<KafkaMessage>> found;
  for (int ended = 0; ended < partitions->cnt;) {
    const kafka::MessageHandle message(rd_kafka_consumer_poll(client.get(), kReadTimeoutMs));
    if (!message) break;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ++ended;
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      found[message->partition].push_back(Convert(message.get()));
    }
  }
  std::vector<KafkaMessage> all;
  for (const auto& [partition, messages] : found) {
    all.insert(all.end(), messages.begin(), messages.end());
  }
  return all;
}

std::string MakeTopic(const std::string& bootstrap_servers, const std::string& topic,
                      int partitions, const std::map<std::string, std::string>& config) {
  struct NewTopicDeleter {
    void operator()(rd_kafka_NewTopic_t* handle) const { rd_kafka_NewTopic_destroy(handle); }
  };
  const kafka::ClientHandle client =
      MakeQuietClient(RD_KAFKA_PRODUCER, {{"bootstrap.servers", bootstrap_servers}});
  std::array<char, 512> reason{};
  const std::unique_ptr<rd_kafka_NewTopic_t, NewTopicDeleter> made(
      rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, reason.data(), reason.size()));
  if (!made) return reason.data();
  for (const auto& [name, value] : config) {
    rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str());
  }
  const kafka::QueueHandle queue(rd_kafka_queue_new(client.get()));
  std::array<rd_kafka_NewTopic_t*, 1> topics{made.get()};
  rd_kafka_CreateTopics(client.get(), topics.data(), topics.size(), nullptr, queue.get());
  const kafka::EventHandle event(rd_kafka_queue_poll(queue.get(), kAdminTimeoutMs));
  if (!event) return "no answer";
  const rd_kafka_CreateTopics_result_t* result = rd_kafka_event_CreateTopics_result(event.get());
  if (result == nullptr) return rd_kafka_event_error_string(event.get());
  size_t count = 0;
  const rd_kafka_topic_result_t** results = rd_kafka_CreateTopics_result_topics(result, &count);
  if (count != 1) return "no result";
  const char* error = rd_kafka_topic_result_error_string(results[0]);
  return error != nullptr ? error : "";
}

}  // namespace tidegate
