// What the reader asks of librdkafka, for its consumers and for the producer of its dead letters:
// our defaults, the user's settings, and what a promise of ours hangs on. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/kafka/kafka_config.h"

namespace tidegate::reader {

// The two clients share the user's settings; each leaves out what only the other one knows.
kafka::ConfigRequest ConsumerRequest(const kafka::Properties& settings,
                                     const kafka::Properties& credentials);
// The same for a member of the projecting group, which is called as the landing's with "-project"
// behind, and reads a little less ahead.
kafka::ConfigRequest ProjectingConsumerRequest(kafka::ConfigRequest landing, size_t number);
kafka::ConfigRequest ProducerRequest(const kafka::Properties& settings,
                                     const kafka::Properties& credentials);

// What is wrong with them, each problem once.
std::vector<kafka::Problem> FindKafkaProblems(const kafka::Properties& settings,
                                              const kafka::Properties& credentials);

}  // namespace tidegate::reader
