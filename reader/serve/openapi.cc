#include "reader/serve/openapi.h"

#include <fmt/format.h>

#include "core/json/json.h"
#include "reader/serve/endpoint.h"
#include "reader/serve/schemas.h"

namespace tidegate::reader {

namespace {
using std::string_view;

void Text(json::Writer& writer, string_view key, string_view text) {
  writer.Key(key);
  writer.String(text);
}

void WriteParameterSchema(const Parameter& parameter, json::Writer& writer) {
  writer.Key("schema");
  writer.BeginObject();
  Text(writer, "type", parameter.type == ParameterType::kLimit ? "integer" : "string");
  if (parameter.type == ParameterType::kLimit) {
    writer.Key("minimum");
    writer.Integer(1);
    writer.Key("maximum");
    writer.Unsigned(kMaxLimit);
    writer.Key("default");
    writer.Unsigned(kDefaultLimit);
  }
  if (parameter.type == ParameterType::kFrom || parameter.type == ParameterType::kTo)
    Text(writer, "format", "date-time");
  if (!parameter.choices.empty()) {
    writer.Key("enum");
    writer.BeginArray();
    for (string_view choice : parameter.choices) writer.String(choice);
    writer.EndArray();
  }
  writer.EndObject();
}

void WriteParameter(const Parameter& parameter, string_view place, json::Writer& writer) {
  writer.BeginObject();
  Text(writer, "name", parameter.name);
  Text(writer, "in", place);
  writer.Key("required");
  writer.Bool(place == "path");
  Text(writer, "description", parameter.about);
  WriteParameterSchema(parameter, writer);
  writer.EndObject();
}

void WriteParameters(const Endpoint& endpoint, json::Writer& writer) {
  writer.Key("parameters");
  writer.BeginArray();
  if (endpoint.path.find("{id}") != string_view::npos)
    WriteParameter({.name = "id", .about = "The device."}, "path", writer);
  for (const Parameter& parameter : endpoint.parameters) WriteParameter(parameter, "query", writer);
  writer.EndArray();
}

void WriteReference(string_view name, json::Writer& writer) {
  writer.BeginObject();
  Text(writer, "$ref", fmt::format("#/components/schemas/{}", name));
  writer.EndObject();
}

void WriteListSchema(string_view items, json::Writer& writer) {
  writer.BeginObject();
  Text(writer, "type", "object");
  writer.Key("properties");
  writer.BeginObject();
  writer.Key("items");
  writer.BeginObject();
  Text(writer, "type", "array");
  writer.Key("items");
  WriteReference(items, writer);
  writer.EndObject();
  writer.Key("count");
  writer.BeginObject();
  Text(writer, "type", "integer");
  writer.EndObject();
  writer.Key("next_cursor");
  writer.BeginObject();
  Text(writer, "type", "string");
  writer.Key("nullable");
  writer.Bool(true);
  writer.EndObject();
  writer.EndObject();
  writer.EndObject();
}

string_view MediaTypeOf(Answer answer) {
  switch (answer) {
    case Answer::kPage:
      return "text/html";
    case Answer::kMetrics:
      return "text/plain";
    default:
      return "application/json";
  }
}

void WriteAnswer(const Endpoint& endpoint, json::Writer& writer) {
  Text(writer, "description", "What was asked for.");
  writer.Key("content");
  writer.BeginObject();
  writer.Key(MediaTypeOf(endpoint.answer));
  writer.BeginObject();
  writer.Key("schema");
  if (endpoint.listing != nullptr) {
    WriteListSchema(endpoint.schema, writer);
  } else if (!endpoint.schema.empty()) {
    WriteReference(endpoint.schema, writer);
  } else {
    writer.BeginObject();
    writer.EndObject();
  }
  writer.EndObject();
  writer.EndObject();
}

void WriteResponses(const Endpoint& endpoint, json::Writer& writer) {
  writer.Key("responses");
  writer.BeginObject();
  writer.Key(endpoint.answer == Answer::kShutdown ? "202" : "200");
  writer.BeginObject();
  WriteAnswer(endpoint, writer);
  writer.EndObject();
  writer.Key("default");
  writer.BeginObject();
  Text(writer, "description", "Why not.");
  writer.Key("content");
  writer.BeginObject();
  writer.Key("application/problem+json");
  writer.BeginObject();
  writer.Key("schema");
  WriteReference("Problem", writer);
  writer.EndObject();
  writer.EndObject();
  writer.EndObject();
  writer.EndObject();
}

void WriteOperation(const Endpoint& endpoint, json::Writer& writer) {
  writer.Key(endpoint.method == "GET" ? "get" : "post");
  writer.BeginObject();
  Text(writer, "summary", endpoint.summary);
  writer.Key("security");
  writer.BeginArray();
  if (endpoint.access != Access::kOpen) {
    writer.BeginObject();
    writer.Key("bearer");
    writer.BeginArray();
    writer.EndArray();
    writer.EndObject();
  }
  writer.EndArray();
  WriteParameters(endpoint, writer);
  WriteResponses(endpoint, writer);
  writer.EndObject();
}

void WriteComponents(json::Writer& writer) {
  writer.Key("components");
  writer.BeginObject();
  writer.Key("securitySchemes");
  writer.BeginObject();
  writer.Key("bearer");
  writer.BeginObject();
  Text(writer, "type", "http");
  Text(writer, "scheme", "bearer");
  writer.EndObject();
  writer.EndObject();
  writer.Key("schemas");
  writer.BeginObject();
  WriteSchemas(writer);
  writer.EndObject();
  writer.EndObject();
}
}  // namespace

std::string OpenApi(string_view version) {
  std::string text;
  json::Writer writer(text);
  writer.BeginObject();
  Text(writer, "openapi", "3.0.3");
  writer.Key("info");
  writer.BeginObject();
  Text(writer, "title", "tidegate-reader");
  Text(writer, "version", version);
  writer.EndObject();
  writer.Key("paths");
  writer.BeginObject();
  for (const Endpoint& endpoint : EndpointTable()) {
    writer.Key(endpoint.path);
    writer.BeginObject();
    WriteOperation(endpoint, writer);
    writer.EndObject();
  }
  writer.EndObject();
  WriteComponents(writer);
  writer.EndObject();
  return text;
}

}  // namespace tidegate::reader
