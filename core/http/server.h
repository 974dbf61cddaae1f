// A small HTTP server on someone else's loop: libmicrohttpd with an external epoll. It answers from
// memory, at once or in a later turn, keeps requests bounded, and serves what it is told to. Loop
// thread only.
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
#include "core/loop/loop.h"
#include "core/result.h"

namespace tidegate::http {

struct Request {
  std::string_view
      method;  // GET or POST. HEAD is asked as GET; any other is answered with 405 before.
  std::string_view path;  // Percent-decoded, without the query.
  std::map<std::string, std::string> query;
  std::string_view authorization;  // The header's value, empty if absent.
  std::string_view body;
  std::string_view host = {};  // The header's value, empty if absent.
  std::string peer = {};       // The address that it came from: 192.0.2.1 or 2001:db8::1.
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers =
      {};  // Further ones: Allow, Retry-After.
};

// A JSON text as one line.
Response JsonLine(int status, std::string json);

// Runs inside the loop's turn: it answers from memory, at once.
using Handler = std::function<Response(const Request&)>;

// Answers one request, in the same or in a later turn of the loop; a second answer goes nowhere,
// and so does one that comes when client or server are gone.
using Reply = std::function<void(Response)>;
// What the request refers to is gone when the handler returns. A client that waits holds one of the
// connections and is not timed out: whoever keeps the reply answers in time.
using DeferredHandler = std::function<void(const Request&, Reply)>;

class Server {
 public:
  struct Options {
    std::string address = "127.0.0.1";      // IPv4 or IPv6 literal.
    uint16_t port = 0;                      // 0: any free one, see port().
    size_t max_body_bytes = 64 * 1024;      // Larger: 413.
    size_t max_uri_bytes = 4 * 1024;        // With its query, as it was sent. Longer: 414.
    size_t max_headers = 64;                // More, or more than 16 KiB of them: 431.
    unsigned max_connections = 32;          // The next ones wait to be accepted.
    unsigned max_connections_per_peer = 0;  // 0: any.
    unsigned timeout_seconds = 10;          // Of an idle connection.
  };

  // kInvalid: no such address. kUnavailable: the port is taken (the message names it).
  static Result<std::unique_ptr<Server>> Start(const Options& options, Loop& loop, const Log& log,
                                               Handler handler);
  static Result<std::unique_ptr<Server>> StartDeferred(const Options& options, Loop& loop,
                                                       const Log& log, DeferredHandler handler);
  virtual ~Server() = default;
  virtual uint16_t port() const = 0;
};

// host:port, [v6]:port or :port (all interfaces) into options. kInvalid: what is wrong.
Result<Server::Options> ParseListen(std::string_view text);

// Of this machine only: 127.0.0.0/8 or ::1.
bool IsLoopback(std::string_view address);

}  // namespace tidegate::http
