#include "tests/support/dev_broker/mock_kafka.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <cstdlib>

#include "uplink/kafka/kafka_handle.h"

namespace tidegate {

namespace {
constexpr int16_t kProduce = 0;
constexpr int16_t kInitProducerId = 22;
constexpr int kReplication = 1;
constexpr int kReadTimeoutMs = 5000;

struct ClusterDeleter {
  void operator()(rd_kafka_mock_cluster_t* cluster) const {
    rd_kafka_mock_cluster_destroy(cluster);
  }
};

kafka::ClientHandle MakeClient(rd_kafka_type_t type,
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

MockKafka::Message Convert(const rd_kafka_message_t* message) {
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

const int MockKafka::kDisconnect = RD_KAFKA_RESP_ERR__TRANSPORT;

struct MockKafka::Cluster {
  kafka::ClientHandle client;
  std::unique_ptr<rd_kafka_mock_cluster_t, ClusterDeleter> mock;
};

MockKafka::MockKafka(int brokers) : brokers_(brokers), cluster_(std::make_unique<Cluster>()) {
  cluster_->client = MakeClient(RD_KAFKA_PRODUCER, {});
  cluster_->mock.reset(rd_kafka_mock_cluster_new(cluster_->client.get(), brokers));
  if (!cluster_->mock) std::abort();
  bootstrap_servers_ = rd_kafka_mock_cluster_bootstraps(cluster_->mock.get());
  rd_kafka_brokers_add(cluster_->client.get(), bootstrap_servers_.c_str());
}

MockKafka::~MockKafka() = default;

void MockKafka::CreateTopic(const std::string& topic, int partitions) {
  rd_kafka_mock_topic_create(cluster_->mock.get(), topic.c_str(), partitions, kReplication);
}

void MockKafka::SetDown() {
  for (int id = 1; id <= brokers_; ++id) rd_kafka_mock_broker_set_down(cluster_->mock.get(), id);
}

void MockKafka::SetUp() {
  for (int id = 1; id <= brokers_; ++id) rd_kafka_mock_broker_set_up(cluster_->mock.get(), id);
}

void MockKafka::SetRoundTrip(int milliseconds) {
  for (int id = 1; id <= brokers_; ++id) {
    rd_kafka_mock_broker_set_rtt(cluster_->mock.get(), id, milliseconds);
  }
}

void MockKafka::AnswerProduce(const std::vector<int>& answers) {
  for (int answer : answers) {
    rd_kafka_mock_broker_push_request_error_rtts(cluster_->mock.get(), 1, kProduce, 1, answer, 0);
  }
}

size_t MockKafka::unused_answers() const {
  size_t count = 0;
  rd_kafka_mock_broker_error_stack_cnt(cluster_->mock.get(), 1, kProduce, &count);
  return count;
}

void MockKafka::AnswerInitProducerId(const std::vector<int>& answers) {
  for (int answer : answers) {
    rd_kafka_mock_push_request_errors(cluster_->mock.get(), kInitProducerId, 1, answer);
  }
}

void MockKafka::SetTopicError(const std::string& topic, int error) {
  rd_kafka_mock_topic_set_error(cluster_->mock.get(), topic.c_str(),
                                static_cast<rd_kafka_resp_err_t>(error));
}

void MockKafka::SetLeader(const std::string& topic, int partition, int broker) {
  rd_kafka_mock_partition_set_leader(cluster_->mock.get(), topic.c_str(), partition, broker);
}

std::vector<MockKafka::Message> MockKafka::Read(const std::string& topic) const {
  const kafka::ClientHandle client =
      MakeClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", bootstrap_servers_},
                                     {"group.id", "mock-kafka-read"},
                                     {"enable.auto.commit", "false"},
                                     {"enable.partition.eof", "true"}});
  rd_kafka_poll_set_consumer(client.get());
  const kafka::PartitionListHandle partitions = Beginnings(client.get(), topic);
  rd_kafka_assign(client.get(), partitions.get());
  std::map<int32_t, std::vector<Message>> found;
  for (int ended = 0; ended < partitions->cnt;) {
    const kafka::MessageHandle message(rd_kafka_consumer_poll(client.get(), kReadTimeoutMs));
    if (!message) break;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ++ended;
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      found[message->partition].push_back(Convert(message.get()));
    }
  }
  std::vector<Message> all;
  for (const auto& [partition, messages] : found) {
    all.insert(all.end(), messages.begin(), messages.end());
  }
  return all;
}

}  // namespace tidegate
