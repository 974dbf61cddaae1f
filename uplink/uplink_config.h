// The configuration of the uplink's producer: our defaults, and what a user may not change, with
// the reasons. Pure.
#pragma once

#include <string>

#include "core/kafka/kafka_config.h"

namespace tidegate {

// Returns the configuration for KafkaTransport and for `tidegate-agent check`. `settings` and
// `credentials` hold librdkafka's property names; one of them sets bootstrap.servers.
kafka::ConfigRequest UplinkConfig(const std::string& gateway, kafka::Properties settings,
                                  kafka::Properties credentials);
// Returns the configuration for Route::kTrial, made from that of UplinkConfig(): a refused request
// ends no producer, and up to kMaxTrialRecords records of a partition are one request.
kafka::ConfigRequest TrialConfig(kafka::ConfigRequest config);

}  // namespace tidegate
