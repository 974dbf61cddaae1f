// Makes a librdkafka client for the functions of this folder. Private to the files that call
// librdkafka.
#pragma once

#include <map>
#include <string>

#include "core/kafka/kafka_handle.h"

namespace tidegate {

// Returns a client that logs nothing. Aborts if librdkafka refuses the properties.
kafka::ClientHandle MakeQuietClient(rd_kafka_type_t type,
                                    const std::map<std::string, std::string>& properties);

}  // namespace tidegate
