#include "tests/support/mock_kafka.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>

#include "core/check.h"
#include "core/kafka/kafka_handle.h"

namespace tidegate::reader {

namespace {
constexpr int kWait = 10'000;

struct ClusterDestroyer {
  void operator()(rd_kafka_mock_cluster_t* cluster) const {
    rd_kafka_mock_cluster_destroy(cluster);
  }
};

kafka::ClientHandle NewClient(rd_kafka_type_t type, const kafka::Properties& properties) {
  kafka::ConfHandle conf(rd_kafka_conf_new());
  std::array<char, 512> reason{};
  for (const auto& [name, value] : properties) {
    const auto set =
        rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(), reason.size());
    CHECK(set == RD_KAFKA_CONF_OK, "the library accepts the property");
  }
  kafka::ClientHandle client(rd_kafka_new(type, conf.get(), reason.data(), reason.size()));
  if (client) static_cast<void>(conf.release());
  return client;
}

rd_kafka_vu_t Bytes(rd_kafka_vtype_t type, const std::optional<std::string>& bytes) {
  rd_kafka_vu_t argument{};
  argument.vtype = type;
  argument.u.mem.ptr = bytes ? const_cast<char*>(bytes->data()) : nullptr;
  argument.u.mem.size = bytes ? bytes->size() : 0;
  return argument;
}

std::optional<std::string> Copy(const void* bytes, size_t size) {
  return bytes ? std::optional(std::string(static_cast<const char*>(bytes), size)) : std::nullopt;
}

SourceMessage ToMessage(const rd_kafka_message_t* message) {
  SourceMessage out{.partition = {rd_kafka_topic_name(message->rkt), message->partition},
                    .offset = message->offset,
                    .timestamp = {},
                    .key = Copy(message->key, message->key_len),
                    .value = Copy(message->payload, message->len),
                    .headers = {}};
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    out.headers.emplace_back(name, Copy(value, size).value_or(""));
  }
  return out;
}
}  // namespace

struct MockKafka::Parts {
  kafka::ClientHandle owner;  // The cluster lives in a client.
  std::unique_ptr<rd_kafka_mock_cluster_t, ClusterDestroyer> cluster;
  kafka::ClientHandle producer;
};

MockKafka::MockKafka(int brokers) : parts_(std::make_unique<Parts>()) {
  parts_->owner = NewClient(RD_KAFKA_PRODUCER, {});
  parts_->cluster.reset(rd_kafka_mock_cluster_new(parts_->owner.get(), brokers));
  parts_->producer = NewClient(RD_KAFKA_PRODUCER, {{"bootstrap.servers", bootstrap()}});
}

MockKafka::~MockKafka() {
  parts_->producer.reset();
}

std::string MockKafka::bootstrap() const {
  return rd_kafka_mock_cluster_bootstraps(parts_->cluster.get());
}

void MockKafka::CreateTopic(const std::string& topic, int partitions) {
  rd_kafka_mock_topic_create(parts_->cluster.get(), topic.c_str(), partitions, 1);
}

void MockKafka::Produce(const std::string& topic, int32_t partition,
                        const std::optional<std::string>& value,
                        const std::vector<std::pair<std::string, std::string>>& headers) {
  const std::optional<std::string> key = "key";
  rd_kafka_headers_t* list = rd_kafka_headers_new(headers.size());
  for (const auto& [name, text] : headers)
    rd_kafka_header_add(list, name.c_str(), -1, text.data(), static_cast<ssize_t>(text.size()));
  std::array<rd_kafka_vu_t, 6> arguments{};
  arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  arguments[0].u.cstr = topic.c_str();
  arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  arguments[1].u.i32 = partition;
  arguments[2] = Bytes(RD_KAFKA_VTYPE_KEY, key);
  arguments[3] = Bytes(RD_KAFKA_VTYPE_VALUE, value);
  arguments[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[4].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[5].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[5].u.headers = list;  // The message takes it over.
  const kafka::ErrorHandle error(
      rd_kafka_produceva(parts_->producer.get(), arguments.data(), arguments.size()));
  CHECK(!error, "the mock broker accepts the message");
  const auto flushed = rd_kafka_flush(parts_->producer.get(), kWait);
  CHECK(flushed == RD_KAFKA_RESP_ERR_NO_ERROR, "the mock broker has the message");
}

std::vector<SourceMessage> MockKafka::Read(const std::string& topic) {
  const auto consumer = NewClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", bootstrap()},
                                                      {"group.id", "test"},
                                                      {"enable.partition.eof", "true"},
                                                      {"enable.auto.commit", "false"}});
  std::vector<SourceMessage> messages;
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_topic_t* handle = rd_kafka_topic_new(consumer.get(), topic.c_str(), nullptr);
  rd_kafka_metadata(consumer.get(), 0, handle, &metadata, kWait);
  rd_kafka_topic_destroy(handle);
  const kafka::MetadataHandle owned(metadata);
  int open = metadata->topics[0].partition_cnt;
  {
    const kafka::PartitionListHandle list(rd_kafka_topic_partition_list_new(open));
    for (int i = 0; i < open; ++i) {
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset =
          RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(consumer.get(), list.get());
  }
  while (open > 0) {
    const kafka::MessageHandle message(rd_kafka_consumer_poll(consumer.get(), kWait));
    if (!message || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      --open;
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      messages.push_back(ToMessage(message.get()));
    }
  }
  rd_kafka_consumer_close(consumer.get());
  return messages;
}

int64_t MockKafka::Committed(const std::string& group, const Partition& partition) {
  const auto consumer =
      NewClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", bootstrap()}, {"group.id", group}});
  const kafka::PartitionListHandle list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number);
  rd_kafka_committed(consumer.get(), list.get(), kWait);
  const int64_t offset = list->elems[0].offset;
  rd_kafka_consumer_close(consumer.get());
  return offset < 0 ? -1 : offset;
}

void MockKafka::RefuseAsTooLarge(int times) {
  constexpr int16_t kProduce = 0;
  for (int i = 0; i < times; ++i) {
    rd_kafka_mock_push_request_errors(parts_->cluster.get(), kProduce, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  }
}

}  // namespace tidegate::reader
