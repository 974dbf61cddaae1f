#include "reader/serve/status_page.h"

#include <fmt/format.h>

#include "core/quantity.h"
#include "reader/serve/endpoint.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kHead =
    "<!doctype html>\n<html lang=\"en\"><head><meta "
    "charset=\"utf-8\"><title>tidegate-reader</title>\n"
    "<style>body{font-family:sans-serif;max-width:50em;margin:2em auto;padding:0 1em}"
    "td{padding:.2em 1em .2em 0;vertical-align:top}code{white-space:nowrap}</style></head>\n"
    "<body><h1>tidegate-reader</h1>\n";

std::string Escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string Row(std::string_view name, std::string_view value) {
  return fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", name, Escaped(value));
}

// A path without {id} is a link.
std::string Shown(const Endpoint& endpoint) {
  if (endpoint.method != "GET" || endpoint.path.find('{') != std::string_view::npos)
    return fmt::format("<code>{} {}</code>", endpoint.method, endpoint.path);
  return fmt::format("<a href=\"{0}\"><code>{0}</code></a>", endpoint.path);
}
}  // namespace

std::string StatusPage(const PageState& state) {
  std::string page(kHead);
  page += "<table>\n" + Row("Kafka", state.kafka_up ? "up" : "down") +
          Row("Database", state.database_up ? "up" : "down") + Row("Version", state.version) +
          Row("Running for", FormatDuration(state.uptime)) + "</table>\n<h2>API</h2>\n<table>\n";
  for (const Endpoint& endpoint : EndpointTable()) page += Row(Shown(endpoint), endpoint.summary);
  return page + "</table></body></html>\n";
}

}  // namespace tidegate::reader
