// A small HTTP server on the caller's loop: libmicrohttpd with an external epoll. It bounds each
// request, passes it to one handler, and sends the answer that the handler gives at once or in a
// later turn of the loop. It serves no files and knows no paths. Loop thread only.
#pragma once

#include <chrono>
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

// A request with its whole body. The views are valid until the handler returns.
struct Request {
  // GET or POST. A HEAD is passed on as GET; other methods are answered with 405.
  std::string_view method;
  // Percent-decoded, without the query.
  std::string_view path;
  // Percent-decoded; the first value of a name.
  std::map<std::string, std::string> query;
  // The header of that name; empty if absent.
  std::string_view authorization;
  std::string_view body;
  // The header of that name; empty if absent.
  std::string_view host = {};
  // The client's address without its port: 192.0.2.1 or 2001:db8::1.
  std::string peer = {};
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  // Headers besides Content-Type and Content-Length, such as Allow and Retry-After.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// Returns a response whose body is the JSON text and a newline.
Response JsonLine(int status, std::string json);

// Answers a request at once. It runs in the loop's turn and must not wait.
using Handler = std::function<Response(const Request&)>;

// Answers one request, in the same turn of the loop or in a later one. A second answer is ignored,
// and so is one after the client or the server has gone.
using Reply = std::function<void(Response)>;
// Receives a request and its reply. A client that waits for the reply occupies one of the
// connections and is not timed out, so whoever keeps the reply has to answer in time. When the
// server ends, it answers each waiting client with 503.
using DeferredHandler = std::function<void(const Request&, Reply)>;

class Server {
 public:
  struct Options {
    // An IPv4 or IPv6 literal.
    std::string address = "127.0.0.1";
    // 0 means any free port; port() returns it.
    uint16_t port = 0;
    // A larger body is answered with 413.
    size_t max_body_bytes = 64 * 1024;
    // A longer URI, counted with its query and as it was sent, is answered with 414.
    size_t max_uri_bytes = 4 * 1024;
    // More headers, or more than 16 KiB of them, are answered with 431.
    size_t max_headers = 64;
    // One more closes a connection that keeps the server waiting: of the peer that has the most
    // connections, the one that does so longest. A connection that waits for a reply stays.
    unsigned max_connections = 32;
    // Further connections from the same address are refused; 0 means no such limit.
    unsigned max_connections_per_peer = 0;
    // A connection that is idle for so long is closed.
    unsigned timeout_seconds = 10;
    // A whole request, counted from the connection's begin or its last answer, must arrive within
    // that time, however its bytes are spread, and an answer must be read within that time.
    std::chrono::milliseconds receive_within{10'000};
    std::chrono::milliseconds send_within{30'000};
  };

  // Opens the port and serves requests until the server is destroyed. kInvalid: the address is no
  // IP address. kUnavailable: the port is in use or cannot be opened; the message names it.
  static Result<std::unique_ptr<Server>> Start(const Options& options, Loop& loop, const Log& log,
                                               Handler handler);
  static Result<std::unique_ptr<Server>> StartDeferred(const Options& options, Loop& loop,
                                                       const Log& log, DeferredHandler handler);
  virtual ~Server() = default;
  virtual uint16_t port() const = 0;
};

// Reads host:port, [v6]:port or :port (all interfaces) into options. kInvalid: the message says
// what is wrong.
Result<Server::Options> ParseListen(std::string_view text);

}  // namespace tidegate::http
