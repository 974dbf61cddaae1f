// What librdkafka hands over, as our own. For the files that call the library.
#pragma once

#include "reader/consume/source.h"

struct rd_kafka_message_s;

namespace tidegate::reader {

// REQUIRES: a message, and no error. The bytes are copied.
SourceMessage ToMessage(const rd_kafka_message_s* message);

}  // namespace tidegate::reader
