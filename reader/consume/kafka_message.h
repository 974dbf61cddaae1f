// Converts librdkafka's messages. For the files that call the library. Pure; any thread.
#pragma once

#include "reader/consume/source.h"

struct rd_kafka_message_s;

namespace tidegate::reader {

// Copies the message. REQUIRES: it carries no error.
SourceMessage ToMessage(const rd_kafka_message_s* message);

}  // namespace tidegate::reader
