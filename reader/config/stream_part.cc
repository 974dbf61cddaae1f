#include <algorithm>
#include <array>

#include "core/ascii.h"
#include "core/nearest.h"
#include "reader/config/loader.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kStreamPrefix = "TIDEGATE_STREAM_";

Stream BuiltIn(const std::string& name) {
  for (const Stream& stream : BuiltInStreams()) {
    if (stream.name == name) return stream;
  }
  return {.name = name};
}
}  // namespace

std::vector<std::string> Loader::SelectedStreams(const std::vector<std::string>& defined,
                                                 const Found& only) {
  std::vector<std::string> known = defined;
  for (const Stream& stream : BuiltInStreams()) known.push_back(stream.name);
  std::string all;
  for (const Stream& stream : BuiltInStreams()) {
    if (only.value.empty() ? IsFollowedByDefault(stream) : stream.name == only.value)
      all += (all.empty() ? "" : ",") + stream.name;
  }
  for (const std::string& name : defined) {
    const Stream built_in = BuiltIn(name);
    if (name != only.value && (built_in.topic.empty() || !IsFollowedByDefault(built_in)))
      all += "," + name;
  }
  const Found selected = environment_.Find("TIDEGATE_STREAMS")
                             .value_or(Found{all, only.value.empty() ? "default" : only.origin});
  Show("TIDEGATE_STREAMS", selected.value, selected.origin);
  std::vector<std::string> names;
  for (const std::string& name : SplitList(AsciiLower(selected.value))) {
    if (std::ranges::count(known, name) > 0) {
      names.push_back(name);
      continue;
    }
    const auto nearest = Nearest(name, known);
    Problem(selected.origin,
            fmt::format("there is no stream '{}'{}", name,
                        nearest ? fmt::format("; did you mean {}?", *nearest) : ""));
  }
  return names;
}

void Loader::LoadStreams() {
  std::map<std::string, Found> definitions;
  std::vector<std::string> defined;
  for (auto& [suffix, found] : environment_.WithPrefix(kStreamPrefix)) {
    definitions[AsciiLower(suffix)] = found;
    defined.push_back(AsciiLower(suffix));
  }
  const Found only = StreamOfOneTopic();
  const std::vector<std::string> selected = SelectedStreams(defined, only);
  for (const auto& [name, definition] : definitions) {
    const auto parsed = ParseStream(definition.value, BuiltIn(name));
    if (!parsed.ok()) Problem(definition.origin, parsed.error().message);
  }
  for (const std::string& name : selected) {
    Stream stream = StreamAfterAliases(BuiltIn(name), name == only.value);
    const std::string variable = std::string(kStreamPrefix) + AsciiUpper(name);
    std::string origin = stream == BuiltIn(name) ? "default" : "aliases";
    if (const auto definition = definitions.find(name); definition != definitions.end()) {
      origin = definition->second.origin;
      auto parsed = ParseStream(definition->second.value, stream);
      if (!parsed.ok()) continue;  // Reported above.
      stream = std::move(parsed).value();
    }
    if (Status status = LoadSchema(stream); !status.ok()) {
      Problem(variable, status.error().message);
      continue;
    }
    Show(variable, StreamText(stream), origin);
    config_.streams.push_back(std::move(stream));
  }
  if (config_.streams.size() < selected.size()) return;  // Reported above.
  if (const auto table = StreamTable::Make(config_.streams); !table.ok())
    Problem("TIDEGATE_STREAMS", table.error().message);
}

void Loader::KeepStreamsOff(const std::string& topic, std::string_view what) {
  const auto table = StreamTable::Make(config_.streams);
  if (!table.ok()) return;  // Reported by LoadStreams().
  const auto match = table->Find(topic);
  if (!match) return;
  Problem(
      std::string(kStreamPrefix) + AsciiUpper(match->stream->name),
      fmt::format("its topic {} includes {}, {}, which the reader writes: it would read what it "
                  "has written without end; give one of them another name",
                  match->stream->topic, topic, what));
}

}  // namespace tidegate::reader
