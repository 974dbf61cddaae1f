#include "reader/project/replay/kafka_topic_reader.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "core/kafka/client_log.h"
#include "core/kafka/error_kind.h"
#include "core/kafka/kafka_handle.h"
#include "reader/consume/kafka_consumer.h"
#include "reader/consume/kafka_message.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr milliseconds kPollInterval{200};

Error Unavailable(std::string_view operation, const std::string& topic, rd_kafka_resp_err_t error) {
  return {ErrorCode::kUnavailable,
          fmt::format("{} {}: {}", operation, topic, kafka::DescribeError(error))};
}

class KafkaTopicReader final : public TopicReader {
 public:
  KafkaTopicReader(KafkaTopicReaderOptions options, const Clock& clock, const Log& log)
      : options_(std::move(options)), clock_(clock), client_log_(log, clock, "dead letters") {}
  ~KafkaTopicReader() override {
    if (client_) rd_kafka_consumer_close(client_.get());
  }

  Status Open();
  Result<std::optional<SourceMessage>> Next() override;

 private:
  Status MakeClient();
  // Returns the numbers of the topic's partitions.
  Result<std::vector<int32_t>> Partitions();
  Status Assign(const std::vector<int32_t>& partitions);
  int timeout_ms() const { return static_cast<int>(options_.patience.count()); }

  const KafkaTopicReaderOptions options_;
  const Clock& clock_;
  kafka::ClientLog client_log_;
  kafka::ClientHandle client_;
  // The ends of the partitions that are not read to their end.
  std::map<int32_t, int64_t> ends_;
};

Status KafkaTopicReader::MakeClient() {
  kafka::ConfigRequest request = options_.request;
  // Reading leaves no trace: no group, no commits.
  std::erase_if(request.forced, [](const auto& one) { return one.name == "enable.auto.commit"; });
  request.forced.push_back({"enable.auto.commit", "false", "a replay commits nothing"});
  request.forced.push_back({"enable.partition.eof", "true", "a replay ends"});
  for (kafka::Properties* properties : {&request.settings, &request.credentials})
    properties->erase("group.instance.id");
  Result<kafka::ConfHandle> conf = kafka::MakeConf(request);
  if (!conf.ok()) return conf.error();
  client_log_.Attach(conf->get());
  auto client = StartConsumer(std::move(conf).value());
  if (!client.ok()) return client.error();
  client_ = std::move(client).value();
  return {};
}

Result<std::vector<int32_t>> KafkaTopicReader::Partitions() {
  const kafka::TopicHandle topic(
      rd_kafka_topic_new(client_.get(), options_.topic.c_str(), nullptr));
  const rd_kafka_metadata_t* raw = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client_.get(), 0, topic.get(), &raw, timeout_ms());
  const kafka::MetadataHandle metadata(raw);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Unavailable("find the partitions of", options_.topic, error);
  std::vector<int32_t> partitions;
  if (metadata->topic_cnt == 0) return partitions;
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return partitions;
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Unavailable("find the partitions of", options_.topic, found.err);
  for (int i = 0; i < found.partition_cnt; ++i) partitions.push_back(found.partitions[i].id);
  return partitions;
}

Status KafkaTopicReader::Assign(const std::vector<int32_t>& partitions) {
  const kafka::PartitionListHandle list(
      rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (int32_t partition : partitions) {
    int64_t first = 0;
    int64_t end = 0;
    const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
        client_.get(), options_.topic.c_str(), partition, &first, &end, timeout_ms());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return Unavailable("find the end of", options_.topic, error);
    if (first >= end) continue;
    ends_[partition] = end;
    rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition)->offset =
        first;
  }
  const rd_kafka_resp_err_t error = rd_kafka_assign(client_.get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Unavailable("read", options_.topic, error);
  return {};
}

Status KafkaTopicReader::Open() {
  if (Status status = MakeClient(); !status.ok()) return status;
  const auto partitions = Partitions();
  if (!partitions.ok()) return partitions.error();
  return Assign(*partitions);
}

Result<std::optional<SourceMessage>> KafkaTopicReader::Next() {
  const BootTime deadline = clock_.SinceBoot() + options_.patience;
  rd_kafka_resp_err_t last = RD_KAFKA_RESP_ERR__TIMED_OUT;
  while (!ends_.empty()) {
    const kafka::MessageHandle message(
        rd_kafka_consumer_poll(client_.get(), static_cast<int>(kPollInterval.count())));
    if (message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ends_.erase(message->partition);
    } else if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const auto end = ends_.find(message->partition);
      if (end == ends_.end()) continue;  // Written after the reader was opened.
      SourceMessage out = ToMessage(message.get());
      const int64_t after = end->second;
      if (out.offset + 1 >= after) ends_.erase(end);
      if (out.offset >= after) continue;
      return std::optional<SourceMessage>(std::move(out));
    } else if (message) {
      last = message->err;
    }
    if (clock_.SinceBoot() >= deadline) return Unavailable("read", options_.topic, last);
  }
  return std::optional<SourceMessage>();
}
}  // namespace

Result<std::unique_ptr<TopicReader>> OpenKafkaTopicReader(KafkaTopicReaderOptions options,
                                                          const Clock& clock, const Log& log) {
  auto reader = std::make_unique<KafkaTopicReader>(std::move(options), clock, log);
  if (Status status = reader->Open(); !status.ok()) return status.error();
  return std::unique_ptr<TopicReader>(std::move(reader));
}

}  // namespace tidegate::reader
