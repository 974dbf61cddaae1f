#include "reader/serve/problem.h"

#include "core/json/tree.h"

namespace tidegate::reader {

namespace {
std::string_view TitleOf(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Internal Server Error";
  }
}
}  // namespace

http::Response Problem(int status, std::string_view detail) {
  json::Tree body;
  json::Members members = body.members();
  members.Text("type", "about:blank");
  members.Text("title", TitleOf(status));
  members.Integer("status", status);
  if (!detail.empty()) members.Text("detail", detail);
  http::Response response = http::JsonLine(status, body.Print());
  response.content_type = "application/problem+json";
  return response;
}

http::Response Problem(const Error& error) {
  if (error.code == ErrorCode::kInvalid) return Problem(400, error.message);
  if (error.code == ErrorCode::kRejected) return Problem(403, error.message);
  if (error.code == ErrorCode::kFull) return Problem(504, "the query takes too long");
  http::Response response = Problem(503, "the database does not answer now");
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace tidegate::reader
