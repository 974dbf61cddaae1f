#include "reader/consume/kafka_fetch_waker.h"

#include <algorithm>

#include "core/kafka/kafka_handle.h"
#include "core/kafka/kafka_property.h"

namespace tidegate::reader {

namespace {
// After so much the fetcher is woken: far less than the queue holds (kafka_settings.cc).
constexpr size_t kMessages = 2'000;
constexpr size_t kBytes = 512 * 1024;

void WakeFetcher(rd_kafka_t* client) {
  rd_kafka_topic_partition_list_t* list = nullptr;
  if (rd_kafka_assignment(client, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const kafka::PartitionListHandle assignment(list);
  for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = RD_KAFKA_OFFSET_END;
  // With a limit of 0 ms it sends the request and returns an error at once.
  rd_kafka_offsets_for_times(client, list, 0);
}
}  // namespace

FetchWaker::FetchWaker()
    : needed_(!std::ranges::binary_search(kafka::KnownProperties(), kQueueBackoffProperty)) {}

void FetchWaker::OnTaken(rd_kafka_t* client, size_t bytes) {
  if (!needed_) return;
  ++messages_;
  bytes_ += bytes;
  if (messages_ < kMessages && bytes_ < kBytes) return;
  messages_ = 0;
  bytes_ = 0;
  WakeFetcher(client);
}

}  // namespace tidegate::reader
