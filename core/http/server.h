// A small HTTP server on someone else's loop: libmicrohttpd with an external epoll. It answers from
// memory, keeps requests bounded, and serves what it is told to. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/log.h"
#include "core/loop.h"
#include "core/result.h"

namespace tidegate::http {

struct Request {
  std::string_view
      method;  // GET or POST. HEAD is asked as GET; any other is answered with 405 before.
  std::string_view path;  // Percent-decoded, without the query.
  std::map<std::string, std::string> query;
  std::string_view authorization;  // The header's value, empty if absent.
  std::string_view body;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers =
      {};  // Further ones: Allow, Retry-After.
};

// Runs inside the loop's turn: it answers from memory, at once.
using Handler = std::function<Response(const Request&)>;

class Server {
 public:
  struct Options {
    std::string address = "127.0.0.1";  // IPv4 or IPv6 literal.
    uint16_t port = 0;                  // 0: any free one, see port().
    size_t max_body_bytes = 64 * 1024;  // Larger: 413.
    unsigned max_connections = 32;
    unsigned timeout_seconds = 10;  // Of an idle connection.
  };

  // kInvalid: no such address. kUnavailable: the port is taken (the message names it).
  static Result<std::unique_ptr<Server>> Start(const Options& options, Loop& loop, const Log& log,
                                               Handler handler);
  virtual ~Server() = default;
  virtual uint16_t port() const = 0;
};

// host:port, [v6]:port or :port (all interfaces) into options. kInvalid: what is wrong.
Result<Server::Options> ParseListen(std::string_view text);

}  // namespace tidegate::http
