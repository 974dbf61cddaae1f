#include "reader/serve/openapi.h"

#include <fmt/format.h>

#include "core/json/tree.h"
#include "reader/serve/endpoint.h"
#include "reader/serve/schemas.h"

namespace tidegate::reader {

namespace {
using std::string_view;

void WriteParameterSchema(const Parameter& parameter, json::Members schema) {
  schema.Text("type", parameter.type == ParameterType::kLimit ? "integer" : "string");
  if (parameter.type == ParameterType::kLimit) {
    schema.Integer("minimum", 1);
    schema.Unsigned("maximum", kMaxLimit);
    schema.Unsigned("default", kDefaultLimit);
  }
  if (parameter.type == ParameterType::kFrom || parameter.type == ParameterType::kTo)
    schema.Text("format", "date-time");
  if (parameter.choices.empty()) return;
  json::Elements choices = schema.Array("enum");
  for (string_view choice : parameter.choices) choices.Text(choice);
}

void WriteParameter(const Parameter& parameter, string_view place, json::Members object) {
  object.Text("name", parameter.name);
  object.Text("in", place);
  object.Flag("required", place == "path");
  object.Text("description", parameter.about);
  WriteParameterSchema(parameter, object.Object("schema"));
}

void WriteParameters(const Endpoint& endpoint, json::Elements list) {
  if (endpoint.path.find("{id}") != string_view::npos)
    WriteParameter({.name = "id", .about = "The device."}, "path", list.Object());
  for (const Parameter& parameter : endpoint.parameters)
    WriteParameter(parameter, "query", list.Object());
}

void WriteReference(string_view name, json::Members object) {
  object.Text("$ref", fmt::format("#/components/schemas/{}", name));
}

void WriteListSchema(string_view items, json::Members schema) {
  schema.Text("type", "object");
  json::Members properties = schema.Object("properties");
  json::Members list = properties.Object("items");
  list.Text("type", "array");
  WriteReference(items, list.Object("items"));
  properties.Object("count").Text("type", "integer");
  json::Members cursor = properties.Object("next_cursor");
  cursor.Text("type", "string");
  cursor.Flag("nullable", true);
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

void WriteAnswer(const Endpoint& endpoint, json::Members answer) {
  answer.Text("description", "What was asked for.");
  json::Members schema =
      answer.Object("content").Object(MediaTypeOf(endpoint.answer)).Object("schema");
  if (endpoint.listing != nullptr) {
    WriteListSchema(endpoint.schema, schema);
  } else if (!endpoint.schema.empty()) {
    WriteReference(endpoint.schema, schema);
  }
}

void WriteResponses(const Endpoint& endpoint, json::Members responses) {
  WriteAnswer(endpoint, responses.Object(endpoint.answer == Answer::kShutdown ? "202" : "200"));
  json::Members refusal = responses.Object("default");
  refusal.Text("description", "Why not.");
  WriteReference("Problem",
                 refusal.Object("content").Object("application/problem+json").Object("schema"));
}

void WriteOperation(const Endpoint& endpoint, json::Members path) {
  json::Members operation = path.Object(endpoint.method == "GET" ? "get" : "post");
  operation.Text("summary", endpoint.summary);
  json::Elements security = operation.Array("security");
  if (endpoint.access != Access::kOpen) security.Object().Array("bearer");
  WriteParameters(endpoint, operation.Array("parameters"));
  WriteResponses(endpoint, operation.Object("responses"));
}

void WriteComponents(json::Members components) {
  json::Members bearer = components.Object("securitySchemes").Object("bearer");
  bearer.Text("type", "http");
  bearer.Text("scheme", "bearer");
  WriteSchemas(components.Object("schemas"));
}
}  // namespace

std::string OpenApi(string_view version) {
  json::Tree tree;
  json::Members root = tree.members();
  root.Text("openapi", "3.0.3");
  json::Members info = root.Object("info");
  info.Text("title", "tidegate-reader");
  info.Text("version", version);
  json::Members paths = root.Object("paths");
  for (const Endpoint& endpoint : EndpointTable())
    WriteOperation(endpoint, paths.Object(endpoint.path));
  WriteComponents(root.Object("components"));
  return tree.Print();
}

}  // namespace tidegate::reader
