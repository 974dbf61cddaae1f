// How the uplink's producer is configured: our defaults, what a user may not change and why. Pure.
#pragma once

#include <string>

#include "core/kafka/kafka_config.h"

namespace tidegate {

// For KafkaTransport and for `check`. `settings` and `credentials` hold librdkafka's property
// names; bootstrap.servers is needed.
kafka::ConfigRequest UplinkConfig(const std::string& gateway, kafka::Properties settings,
                                  kafka::Properties credentials);

}  // namespace tidegate
