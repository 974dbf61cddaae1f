// Keeps librdkafka's prefetch going. Before version 2.2 a fetcher that has found the queue full
// looks at it again after a second, however soon it is empty (confluentinc/librdkafka#2879): a
// reader that empties it within 100 ms waits for the other 900. A request to the partitions'
// leaders wakes the fetcher. For the files that call the library; one thread.
#pragma once

#include <cstddef>

struct rd_kafka_s;

namespace tidegate::reader {

class FetchWaker {
 public:
  FetchWaker();

  // Call it after each message that was polled. Now and then it sends the leaders a request, and
  // waits for no answer.
  void OnTaken(rd_kafka_s* client, size_t bytes);

 private:
  const bool needed_;
  // Polled since the fetcher was woken last.
  size_t messages_ = 0;
  size_t bytes_ = 0;
};

// The property that makes the waker unnecessary in later versions.
inline constexpr const char* kQueueBackoffProperty = "fetch.queue.backoff.ms";

}  // namespace tidegate::reader
