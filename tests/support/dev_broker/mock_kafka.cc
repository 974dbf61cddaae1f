#include "tests/support/dev_broker/mock_kafka.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdlib>

#include "core/kafka/kafka_handle.h"
#include "tests/support/dev_broker/kafka_topic_handle.h"

namespace tidegate {

namespace {
constexpr int16_t kProduce = 0;
constexpr int16_t kInitProducerId = 22;
constexpr int kReplication = 1;

struct ClusterDeleter {
  void operator()(rd_kafka_mock_cluster_t* cluster) const {
    rd_kafka_mock_cluster_destroy(cluster);
  }
};

}  // namespace

const int MockKafka::kDisconnect = RD_KAFKA_RESP_ERR__TRANSPORT;

struct MockKafka::Cluster {
  kafka::ClientHandle client;
  std::unique_ptr<rd_kafka_mock_cluster_t, ClusterDeleter> mock;
};

MockKafka::MockKafka(int brokers) : brokers_(brokers), cluster_(std::make_unique<Cluster>()) {
  cluster_->client = MakeQuietClient(RD_KAFKA_PRODUCER, {});
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

std::vector<KafkaMessage> MockKafka::Read(const std::string& topic) const {
  return ReadTopic(bootstrap_servers_, topic);
}

}  // namespace tidegate
