#include <algorithm>
#include <array>

#include "reader/config/loader.h"

namespace tidegate::reader {

namespace {
constexpr std::array kTopic{Alias{"KAFKA_TOPIC"}};
constexpr std::array kCollection{Alias{"MONGODB_COLLECTION"}};
constexpr std::array kPostgres{Alias{"POSTGRES_HOST"}, Alias{"POSTGRES_DB"}};
}  // namespace

// Readers of a single topic name it in KAFKA_TOPIC. The kind of its messages follows from the
// topic's name, or from which program's variables are set beside it. Then this is the only stream.
Found Loader::StreamOfOneTopic() {
  const auto topic = environment_.Find("", kTopic);
  const auto collection = environment_.Find("", kCollection);
  if (!topic && !collection) return {};
  const std::string origin = topic ? topic->origin : collection->origin;
  if (const auto streams = environment_.Find("TIDEGATE_STREAMS")) {
    const std::vector<std::string> names = SplitList(streams->value);
    if (names.size() == 1) return {names.front(), streams->origin};
    config_.warnings.push_back(
        fmt::format("{} says nothing where TIDEGATE_STREAMS names several", origin));
    return {};
  }
  for (const Stream& stream : BuiltInStreams()) {
    if (topic && stream.topic == topic->value) return {stream.name, origin};
  }
  if (collection) return {"sales", origin};
  if (environment_.Find("", kPostgres)) return {"machine", origin};
  Problem(origin, fmt::format("'{}' is no built-in stream's topic; TIDEGATE_STREAMS, with the name "
                              "of one stream, says what its messages are",
                              topic->value));
  return {};
}

// Applies the other readers' variables. `only` is true for the StreamOfOneTopic().
Stream Loader::StreamAfterAliases(Stream stream, bool only) {
  const auto take = [&](std::string_view variable, std::string& into) {
    if (auto found = environment_.Find("", std::array{Alias{variable}})) into = found->value;
  };
  if (stream.name == "heartbeat") {
    take("FD_KAFKA_TOPIC", stream.topic);
    take("FD_MONGO_COLLECTION_NAME", stream.collection);
  }
  if (stream.name == "telemetry") take("TELEMETRY_TOPIC", stream.topic);
  if (only) {
    take("KAFKA_TOPIC", stream.topic);
    take("MONGODB_COLLECTION", stream.collection);
  }
  return stream;
}

}  // namespace tidegate::reader
