#include "reader/serve/arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>

#include "core/check.h"
#include "core/nearest.h"
#include "core/record.h"
#include "core/time_format.h"
#include "core/utf8.h"
#include "reader/serve/cursor.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxTextBytes = 256;

Error Invalid(const Parameter& parameter, std::string_view why) {
  return {ErrorCode::kInvalid, fmt::format("parameter {}: {}", parameter.name, why)};
}

bool IsPlainText(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTextBytes && IsUtf8(text) &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

uint64_t ListOf(std::string_view path, const std::map<std::string, std::string>& query) {
  std::string text(path);
  for (const auto& [name, value] : query) {
    if (name != "cursor" && name != "limit")
      text += fmt::format("\n{}={}:{}", name, value.size(), value);
  }
  return XXH64(text.data(), text.size(), 0);
}

Status ReadLimit(const Parameter& parameter, const std::string& value, Arguments& arguments) {
  const char* end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data(), end, arguments.limit);
  if (parsed.ec == std::errc{} && parsed.ptr == end && arguments.limit >= 1 &&
      arguments.limit <= kMaxLimit) {
    return {};
  }
  return Invalid(parameter, fmt::format("not a number from 1 to {}", kMaxLimit));
}

Status ReadTime(const Parameter& parameter, const std::string& value,
                std::optional<WallTime>& time) {
  time = ParseTime(value);
  if (time) return {};
  return Invalid(parameter,
                 "not a time such as 2025-06-23T00:37:01Z (a + has to be written as %2B)");
}

Status ReadChoice(const Parameter& parameter, const std::string& value, Arguments& arguments) {
  const auto choice = std::ranges::find(parameter.choices, value);
  if (choice == parameter.choices.end())
    return Invalid(parameter, fmt::format("none of {}", fmt::join(parameter.choices, ", ")));
  Condition condition{std::string(parameter.member), {}};
  if (parameter.type == ParameterType::kActive) {
    condition.any_of = {choice == parameter.choices.begin()};
  } else {
    condition.any_of = {value};
  }
  arguments.where.push_back(std::move(condition));
  return {};
}

Status ReadOne(const Parameter& parameter, const std::string& value, Arguments& arguments) {
  switch (parameter.type) {
    case ParameterType::kTenant:
      if (!IsTenantName(value)) return Invalid(parameter, "not the name of a tenant");
      arguments.tenant = value;
      return {};
    case ParameterType::kStream:
      if (!IsPlainText(value)) return Invalid(parameter, "not the name of a stream");
      arguments.stream = value;
      return {};
    case ParameterType::kText:
      if (!IsPlainText(value))
        return Invalid(parameter, fmt::format("not 1 to {} bytes of plain text", kMaxTextBytes));
      arguments.where.push_back({std::string(parameter.member), {value}});
      return {};
    case ParameterType::kChoice:
    case ParameterType::kActive:
      return ReadChoice(parameter, value, arguments);
    case ParameterType::kFrom:
      return ReadTime(parameter, value, arguments.from);
    case ParameterType::kTo:
      return ReadTime(parameter, value, arguments.to);
    case ParameterType::kLimit:
      return ReadLimit(parameter, value, arguments);
    case ParameterType::kCursor:
      arguments.after = DecodeCursor(value, arguments.list);
      if (arguments.after) return {};
      return Invalid(parameter, "not the next_cursor of a page with this path and these filters");
  }
  return {};
}

Error Unknown(const std::string& name, std::span<const Parameter> parameters) {
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters) names.emplace_back(parameter.name);
  const auto nearest = Nearest(name, names);
  return {ErrorCode::kInvalid,
          fmt::format("there is no parameter of that name{}",
                      nearest ? fmt::format("; did you mean {}?", *nearest) : "")};
}
}  // namespace

Result<Arguments> ReadArguments(const Route& route, std::string_view path,
                                const std::map<std::string, std::string>& query) {
  CHECK(route.endpoint != nullptr, "the route has an endpoint");
  Arguments arguments;
  arguments.list = ListOf(path, query);
  const auto parameters = route.endpoint->parameters;
  for (const auto& [name, value] : query) {
    const auto parameter = std::ranges::find(parameters, name, &Parameter::name);
    if (parameter == parameters.end()) return Unknown(name, parameters);
    if (Status status = ReadOne(*parameter, value, arguments); !status.ok()) return status.error();
  }
  if (!route.id.empty()) {
    if (!IsPlainText(route.id)) return Error{ErrorCode::kInvalid, "that is no device's name"};
    arguments.where.push_back({"asset_id", {std::string(route.id)}});
  }
  return arguments;
}

}  // namespace tidegate::reader
