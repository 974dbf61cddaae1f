// Keeps librdkafka's prefetch going. Before version 2.2 its fetcher, having found the queue full,
// looks at it again after a second, however soon it is empty (confluentinc/librdkafka#2879): who
// takes all of it within 100 ms waits for the other 900. A request to the partitions' leaders wakes
// it. For the files that call the library; one thread.
#pragma once

#include <cstddef>

struct rd_kafka_s;

namespace tidegate::reader {

class FetchWaker {
 public:
  FetchWaker();

  // After each message that was taken. Now and then asks the leaders something, and waits for no
  // answer.
  void OnTaken(rd_kafka_s* client, size_t bytes);

 private:
  const bool needed_;
  size_t messages_ = 0;  // Both since it was woken last.
  size_t bytes_ = 0;
};

// What does the same in later versions.
inline constexpr const char* kQueueBackoffProperty = "fetch.queue.backoff.ms";

}  // namespace tidegate::reader
