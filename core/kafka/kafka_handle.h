// Owners of librdkafka's C objects. Each object gets its owner in the statement that creates it.
// Private to the files that call the library.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

#include "core/kafka/kafka_config.h"  // ConfHandle

namespace tidegate::kafka {

struct ClientDeleter {
  // Joins the library's threads. A producer drops undelivered messages without a report; a consumer
  // leaves its group first.
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using ClientHandle = std::unique_ptr<rd_kafka_t, ClientDeleter>;

struct TopicConfDeleter {
  void operator()(rd_kafka_topic_conf_t* conf) const { rd_kafka_topic_conf_destroy(conf); }
};
using TopicConfHandle = std::unique_ptr<rd_kafka_topic_conf_t, TopicConfDeleter>;

struct TopicDeleter {
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
// A topic keeps its client alive: destroy every topic before the client.
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, TopicDeleter>;

struct QueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
// A queue keeps its client alive: destroy every queue before the client.
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, QueueDeleter>;

struct EventDeleter {
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
using EventHandle = std::unique_ptr<rd_kafka_event_t, EventDeleter>;

struct MessageDeleter {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
// Owns a message from a consumer; the messages of a delivery report belong to the report.
using MessageHandle = std::unique_ptr<rd_kafka_message_t, MessageDeleter>;

struct HeadersDeleter {
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
};
// rd_kafka_producev() owns the object if it succeeds, and only then: call release() after that.
using HeadersHandle = std::unique_ptr<rd_kafka_headers_t, HeadersDeleter>;

struct PartitionListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionListHandle = std::unique_ptr<rd_kafka_topic_partition_list_t, PartitionListDeleter>;

struct ErrorDeleter {
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
};
using ErrorHandle = std::unique_ptr<rd_kafka_error_t, ErrorDeleter>;

struct MetadataDeleter {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
using MetadataHandle = std::unique_ptr<const rd_kafka_metadata_t, MetadataDeleter>;

}  // namespace tidegate::kafka
