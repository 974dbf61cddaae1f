#include "bench/reader_rig.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "bench/messages.h"

namespace tidegate::reader {

Decoder BenchDecoder(const std::string& database) {
  const auto streams = BuiltInStreams();
  Decoder::Options options;
  options.database = database;
  return Decoder(std::move(options), StreamTable::Make({streams.begin(), streams.end()}).value());
}

std::vector<SourceMessage> BenchMessages(size_t count) {
  std::vector<SourceMessage> messages;
  messages.reserve(count);
  for (WireMessage& wire : MakeMessages(std::string(kBenchTopic), count)) {
    messages.push_back({.partition = {wire.topic, 0},
                        .offset = static_cast<int64_t>(messages.size()),
                        .timestamp = wire.timestamp,
                        .key = std::move(wire.key),
                        .value = std::move(wire.value),
                        .headers = std::move(wire.headers)});
  }
  return messages;
}

Document BenchDocument(const Decoder& decoder, const SourceMessage& message) {
  auto decoded = decoder.Decode(message, SystemClock().Now());
  if (const auto* refusal = std::get_if<Refusal>(&decoded)) {
    fmt::print(stderr, "{}\n", Describe(*refusal));
    std::exit(1);
  }
  return std::get<Document>(std::move(decoded));
}

}  // namespace tidegate::reader
