#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include "tests/contract/transport_contract.h"
#include "tests/support/dev_broker/mock_kafka.h"
#include "tests/support/poll_loop.h"
#include "uplink/kafka_transport.h"
#include "uplink/uplink_config.h"

namespace tidegate {

namespace {
class KafkaWorld final : public TransportWorld {
 public:
  KafkaWorld() {
    broker_.CreateTopic("contract", 1);
    KafkaTransport::Options options;
    options.config = UplinkConfig("gw-1",
                                  {{"bootstrap.servers", broker_.bootstrap_servers()},
                                   {"queue.buffering.max.messages", "100"}},
                                  {});
    auto transport = KafkaTransport::Create(options, loop_, clock_, log_, metrics_);
    EXPECT_TRUE(transport.ok());
    transport_ = *std::move(transport);
  }
  Transport& transport() override { return *transport_; }
  void LinkDown() override { broker_.SetDown(); }
  void LinkUp() override { broker_.SetUp(); }
  void RefuseNextRequest() override {
    broker_.AnswerProduce({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  }
  bool RunUntil(const std::function<bool()>& done) override {
    return loop_.RunUntil(done, std::chrono::seconds(15));
  }
  std::vector<std::string> ArrivedValues(const std::string& topic) override {
    std::vector<std::string> values;
    for (const MockKafka::Message& message : broker_.Read(topic)) values.push_back(message.value);
    return values;
  }

 private:
  MockKafka broker_;
  PollLoop loop_;
  SystemClock clock_;
  Log log_{LogLevel::kError};
  Metrics metrics_;
  std::unique_ptr<KafkaTransport> transport_;
};
}  // namespace

std::unique_ptr<TransportWorld> MakeKafkaWorld() {
  return std::make_unique<KafkaWorld>();
}

}  // namespace tidegate
