// The librdkafka properties of the reader's consumers and of its producer of dead letters: the
// reader's defaults, the user's settings, and those that a promise depends on, which nobody may
// change. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/kafka/kafka_config.h"

namespace tidegate::reader {

// For a member of the landing group. Consumer and producer share the user's settings; each leaves
// out the properties that only the other one knows.
kafka::ConfigRequest ConsumerRequest(const kafka::Properties& settings,
                                     const kafka::Properties& credentials);
// For member `number` of the projecting group, whose name is the landing group's with "-project"
// appended. It prefetches a little less.
kafka::ConfigRequest ProjectingConsumerRequest(kafka::ConfigRequest landing, size_t number);
// For the member of the group that reads the parking topic: "-parked" is appended. It always begins
// at the earliest record, and soon notices that the topic has been created.
kafka::ConfigRequest ParkedConsumerRequest(kafka::ConfigRequest landing);
kafka::ConfigRequest ProducerRequest(const kafka::Properties& settings,
                                     const kafka::Properties& credentials);

// Returns what is wrong with the settings for either client, each problem once.
std::vector<kafka::Problem> FindKafkaProblems(const kafka::Properties& settings,
                                              const kafka::Properties& credentials);

}  // namespace tidegate::reader
