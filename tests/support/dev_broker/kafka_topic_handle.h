// A client for the helpers of this folder. Private to the files that call librdkafka.
#pragma once

#include <map>
#include <string>

#include "core/kafka/kafka_handle.h"

namespace tidegate {

// Logs nothing. Aborts if the properties are wrong.
kafka::ClientHandle MakeQuietClient(rd_kafka_type_t type,
                                    const std::map<std::string, std::string>& properties);

}  // namespace tidegate
