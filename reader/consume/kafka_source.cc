#include "reader/consume/kafka_source.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/check.h"
#include "core/kafka/client_log.h"
#include "core/kafka/error_kind.h"
#include "core/kafka/kafka_handle.h"
#include "reader/consume/kafka_consumer.h"
#include "reader/consume/kafka_fetch_waker.h"
#include "reader/consume/kafka_message.h"
#include "reader/consume/kafka_statistics.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr int kQueryTimeoutMs = 2'000;

std::vector<Partition> ToPartitions(const rd_kafka_topic_partition_list_t* list) {
  std::vector<Partition> partitions;
  for (int i = 0; i < list->cnt; ++i)
    partitions.push_back({list->elems[i].topic, list->elems[i].partition});
  return partitions;
}

kafka::PartitionListHandle ToList(std::span<const Partition> partitions) {
  kafka::PartitionListHandle list(
      rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const Partition& partition : partitions)
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number);
  return list;
}

class KafkaSource final : public Source {
 public:
  KafkaSource(const Clock& clock, const Log& log)
      : clock_(clock), log_(log), client_log_(log, clock, "kafka") {}
  ~KafkaSource() override {
    if (client_ && !closed_) rd_kafka_consumer_close(client_.get());
  }

  Status Open(const KafkaSourceOptions& options);

  void SetListener(SourceListener* listener) override {
    CHECK(!polled_, "the listener is set before the first poll");
    listener_ = listener;
  }
  Result<std::optional<SourceMessage>> Poll(milliseconds patience) override;
  void StoreOffsets(std::span<const Position> positions) override;
  Result<int64_t> EarliestOffset(const Partition& partition) override;
  Result<int64_t> EndOffset(const Partition& partition) override;
  Result<std::vector<Position>> CommittedOffsets(std::span<const Partition> partitions) override;
  Status Seek(const Partition& partition, int64_t offset) override;
  void Pause() override;
  void Resume() override;
  void Pause(std::span<const Partition> partitions) override;
  void Resume(std::span<const Partition> partitions) override;
  void Close() override;

 private:
  static void OnRebalance(rd_kafka_t*, rd_kafka_resp_err_t error,
                          rd_kafka_topic_partition_list_t* partitions, void* self) {
    static_cast<KafkaSource*>(self)->Rebalance(error, partitions);
  }
  static int OnStatistics(rd_kafka_t*, char* json, size_t size, void* self);
  static void OnLog(const rd_kafka_t* client, int level, const char* facility, const char* text);
  static void OnError(rd_kafka_t*, int, const char*, void*) {
  }  // Logged by the library; fatal ones come from Poll too.

  void Rebalance(rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions);
  void Assign(rd_kafka_topic_partition_list_t* partitions);
  void Unassign(rd_kafka_topic_partition_list_t* partitions);
  Status OnErrorMessage(rd_kafka_resp_err_t code, const rd_kafka_message_t* message);
  bool Cooperative() const;
  struct Watermarks {
    int64_t earliest = 0;
    int64_t end = 0;
  };
  Result<Watermarks> QueryWatermarks(const Partition& partition);
  void LogFailure(std::string_view operation, rd_kafka_error_t* error);

  const Clock& clock_;
  const Log& log_;
  kafka::ClientLog client_log_;
  LogLimit error_log_;
  SourceListener* listener_ = nullptr;
  FetchWaker fetch_waker_;
  bool may_be_missing_ = false;
  bool paused_ = false;
  bool polled_ = false;
  bool closed_ = false;
  kafka::ClientHandle client_;
};

Status KafkaSource::Open(const KafkaSourceOptions& options) {
  Result<kafka::ConfHandle> conf = kafka::MakeConf(options.request);
  if (!conf.ok()) return conf.error();
  rd_kafka_conf_set_opaque(conf->get(), this);
  rd_kafka_conf_set_rebalance_cb(conf->get(), OnRebalance);
  rd_kafka_conf_set_stats_cb(conf->get(), OnStatistics);
  rd_kafka_conf_set_error_cb(conf->get(), OnError);
  rd_kafka_conf_set_log_cb(conf->get(), OnLog);
  auto client = StartConsumer(std::move(conf).value());
  if (!client.ok()) return client.error();
  client_ = std::move(client).value();
  may_be_missing_ = options.may_be_missing;
  const kafka::PartitionListHandle topics(
      rd_kafka_topic_partition_list_new(static_cast<int>(options.subscription.size())));
  for (const std::string& topic : options.subscription) {
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  const rd_kafka_resp_err_t error = rd_kafka_subscribe(client_.get(), topics.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return Error{ErrorCode::kInvalid, fmt::format("subscribe: {}", kafka::DescribeError(error))};
}

Result<std::optional<SourceMessage>> KafkaSource::Poll(milliseconds patience) {
  CHECK(!closed_, "a source that has left the group is not polled");
  polled_ = true;
  const kafka::MessageHandle message(
      rd_kafka_consumer_poll(client_.get(), static_cast<int>(patience.count())));
  if (!message) return std::optional<SourceMessage>();
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    fetch_waker_.OnTaken(client_.get(), message->len);
    return std::optional<SourceMessage>(ToMessage(message.get()));
  }
  if (Status status = OnErrorMessage(message->err, message.get()); !status.ok())
    return status.error();
  return std::optional<SourceMessage>();
}

Status KafkaSource::OnErrorMessage(rd_kafka_resp_err_t code, const rd_kafka_message_t* message) {
  if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF) return {};
  if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && may_be_missing_) return {};
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    std::array<char, 512> reason{};
    const rd_kafka_resp_err_t cause =
        rd_kafka_fatal_error(client_.get(), reason.data(), reason.size());
    return Error{ErrorCode::kInvalid, fmt::format("kafka consumer: {} ({})", reason.data(),
                                                  kafka::DescribeError(cause))};
  }
  // A missing topic, missing rights, an unreachable broker: the library tries again by itself.
  if (const auto count = error_log_.Count(clock_.SinceBoot())) {
    const char* text = rd_kafka_message_errstr(message);
    log_.Warning("kafka consumer: {} ({} times)", text ? text : kafka::DescribeError(code).c_str(),
                 *count);
  }
  return {};
}

void KafkaSource::StoreOffsets(std::span<const Position> positions) {
  const kafka::PartitionListHandle list(
      rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const Position& position : positions) {
    rd_kafka_topic_partition_list_add(list.get(), position.partition.topic.c_str(),
                                      position.partition.number)
        ->offset = position.next_offset;
  }
  // The library refuses a partition that is no longer assigned (_STATE), and only that one: the
  // member that has it reads from the last commit on.
  const rd_kafka_resp_err_t error = rd_kafka_offsets_store(client_.get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    log_.Debug("store offsets: {}", kafka::DescribeError(error));
}

Result<KafkaSource::Watermarks> KafkaSource::QueryWatermarks(const Partition& partition) {
  Watermarks marks;
  const rd_kafka_resp_err_t error =
      rd_kafka_query_watermark_offsets(client_.get(), partition.topic.c_str(), partition.number,
                                       &marks.earliest, &marks.end, kQueryTimeoutMs);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return marks;
  return Error{ErrorCode::kUnavailable,
               fmt::format("ask for the offsets of {} [{}]: {}", partition.topic, partition.number,
                           kafka::DescribeError(error))};
}

Result<int64_t> KafkaSource::EarliestOffset(const Partition& partition) {
  const auto marks = QueryWatermarks(partition);
  if (!marks.ok()) return marks.error();
  return marks->earliest;
}

Result<int64_t> KafkaSource::EndOffset(const Partition& partition) {
  const auto marks = QueryWatermarks(partition);
  if (!marks.ok()) return marks.error();
  return marks->end;
}

Result<std::vector<Position>> KafkaSource::CommittedOffsets(std::span<const Partition> partitions) {
  const kafka::PartitionListHandle list = ToList(partitions);
  const rd_kafka_resp_err_t error = rd_kafka_committed(client_.get(), list.get(), kQueryTimeoutMs);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("ask for what is committed: {}", kafka::DescribeError(error))};
  }
  std::vector<Position> committed;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = list->elems[i];
    if (entry.offset >= 0) committed.push_back({{entry.topic, entry.partition}, entry.offset});
  }
  return committed;
}

Status KafkaSource::Seek(const Partition& partition, int64_t offset) {
  const kafka::PartitionListHandle list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t* entry =
      rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number);
  entry->offset = offset;
  const kafka::ErrorHandle error(
      rd_kafka_seek_partitions(client_.get(), list.get(), kQueryTimeoutMs));
  if (!error && entry->err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return Error{ErrorCode::kUnavailable,
               fmt::format("seek in {} [{}]: {}", partition.topic, partition.number,
                           error ? rd_kafka_error_string(error.get())
                                 : kafka::DescribeError(entry->err).c_str())};
}

void KafkaSource::Pause() {
  paused_ = true;
  rd_kafka_topic_partition_list_t* list = nullptr;
  if (rd_kafka_assignment(client_.get(), &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const kafka::PartitionListHandle assignment(list);
  rd_kafka_pause_partitions(client_.get(), list);
}

void KafkaSource::Resume() {
  paused_ = false;
  rd_kafka_topic_partition_list_t* list = nullptr;
  if (rd_kafka_assignment(client_.get(), &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const kafka::PartitionListHandle assignment(list);
  rd_kafka_resume_partitions(client_.get(), list);
}

void KafkaSource::Pause(std::span<const Partition> partitions) {
  rd_kafka_pause_partitions(client_.get(), ToList(partitions).get());
}

void KafkaSource::Resume(std::span<const Partition> partitions) {
  if (!paused_) rd_kafka_resume_partitions(client_.get(), ToList(partitions).get());
}

void KafkaSource::Close() {
  CHECK(!closed_, "a source leaves the group once");
  closed_ = true;
  // Revokes what is assigned, through Rebalance(), and commits what was stored.
  const rd_kafka_resp_err_t error = rd_kafka_consumer_close(client_.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    log_.Warning("leave the consumer group: {}", kafka::DescribeError(error));
}

bool KafkaSource::Cooperative() const {
  const char* protocol = rd_kafka_rebalance_protocol(client_.get());
  return protocol && std::string_view(protocol) == "COOPERATIVE";
}

void KafkaSource::LogFailure(std::string_view operation, rd_kafka_error_t* error) {
  const kafka::ErrorHandle handle(error);
  if (error) log_.Warning("{}: {}", operation, rd_kafka_error_string(error));
}

void KafkaSource::Rebalance(rd_kafka_resp_err_t error,
                            rd_kafka_topic_partition_list_t* partitions) {
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) return Assign(partitions);
  if (error == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) return Unassign(partitions);
  log_.Warning("rebalance: {}", kafka::DescribeError(error));
  rd_kafka_assign(client_.get(), nullptr);
}

void KafkaSource::Assign(rd_kafka_topic_partition_list_t* partitions) {
  if (Cooperative()) {
    LogFailure("assign partitions", rd_kafka_incremental_assign(client_.get(), partitions));
  } else {
    rd_kafka_assign(client_.get(), partitions);
  }
  if (paused_) rd_kafka_pause_partitions(client_.get(), partitions);
  if (listener_) listener_->OnAssigned(ToPartitions(partitions));
}

void KafkaSource::Unassign(rd_kafka_topic_partition_list_t* partitions) {
  if (listener_)
    listener_->OnRevoked(ToPartitions(partitions), rd_kafka_assignment_lost(client_.get()) != 0);
  if (Cooperative()) {
    LogFailure("give partitions up", rd_kafka_incremental_unassign(client_.get(), partitions));
  } else {
    rd_kafka_assign(client_.get(), nullptr);
  }
}

int KafkaSource::OnStatistics(rd_kafka_t*, char* json, size_t size, void* self) {
  // Those that cannot be read say nothing about the brokers: what was known stays.
  const auto statistics = ReadStatistics({json, size});
  SourceListener* listener = static_cast<KafkaSource*>(self)->listener_;
  if (listener && statistics) listener->OnLag(statistics->lag, statistics->brokers_up);
  return 0;  // The library frees the text.
}

void KafkaSource::OnLog(const rd_kafka_t* client, int level, const char* facility,
                        const char* text) {
  static_cast<KafkaSource*>(rd_kafka_opaque(client))->client_log_.OnLine(level, facility, text);
}
}  // namespace

Result<std::unique_ptr<Source>> OpenKafkaSource(const KafkaSourceOptions& options,
                                                const Clock& clock, const Log& log) {
  auto source = std::make_unique<KafkaSource>(clock, log);
  if (Status status = source->Open(options); !status.ok()) return status.error();
  return std::unique_ptr<Source>(std::move(source));
}

}  // namespace tidegate::reader
