#include "core/http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <limits>
#include <optional>
#include <set>

#include <sys/socket.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/http/connection_table.h"
#include "core/http/listen.h"
#include "core/http/mhd_handle.h"
#include "core/http/peer.h"

namespace tidegate::http {

namespace {
// Holds the request line and the headers of a connection. A longer head is answered with 431.
constexpr size_t kConnectionMemoryBytes = 16 * 1024;
// A body without a declared length is read and discarded up to this many times the limit, so that
// the client receives 413 instead of a reset.
constexpr size_t kDrainFactor = 4;
// Connections that libmicrohttpd accepts beyond the limit, while those that make room are closing.
constexpr unsigned kSpareConnections = 8;
// How often within a time limit the server looks for clients that exceed it.
constexpr int kSweepsPerLimit = 8;

// A request that waits for its answer. The reply shares it.
struct Waiting {
  // Set while libmicrohttpd has suspended the connection.
  MHD_Connection* suspended = nullptr;
  std::optional<Response> answer;
};

// One request while it arrives. OnUri releases it into libmicrohttpd as the request's context;
// OnCompleted takes it back.
struct Exchange {
  bool started = false;
  bool malformed_uri = false;
  size_t uri_bytes = 0;
  size_t received_bytes = 0;
  std::string body;
  // Set once the handler has received the request.
  std::shared_ptr<Waiting> waiting;
};

Response Problem(int status, std::string_view title) {
  Response response{.status = status,
                    .content_type = "application/problem+json",
                    .body = fmt::format(R"({{"title":"{}","status":{}}})", title, status)};
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
    response.headers.emplace_back("Allow", "GET, HEAD, POST");
  return response;
}

std::string_view HeaderOf(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value != nullptr ? value : std::string_view();
}

uint64_t DeclaredBytes(MHD_Connection* connection) {
  const std::string_view text = HeaderOf(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
  uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  return error == std::errc::result_out_of_range ? std::numeric_limits<uint64_t>::max() : bytes;
}

MHD_Result AddArgument(void* context, MHD_ValueKind, const char* key, size_t key_size,
                       const char* value, size_t value_size) noexcept {
  auto& query = *static_cast<std::map<std::string, std::string>*>(context);
  query.emplace(std::string(key, key_size),
                value != nullptr ? std::string(value, value_size) : std::string());
  return MHD_YES;
}

MHD_Result Queue(MHD_Connection* connection, Response response) {
  const MhdResponseHandle handle(MHD_create_response_from_buffer(
      response.body.size(), response.body.data(), MHD_RESPMEM_MUST_COPY));
  if (!handle) return MHD_NO;
  MHD_add_response_header(handle.get(), MHD_HTTP_HEADER_CONTENT_TYPE,
                          response.content_type.c_str());
  for (const auto& [name, value] : response.headers) {
    MHD_add_response_header(handle.get(), name.c_str(), value.c_str());
  }
  return MHD_queue_response(connection, static_cast<unsigned>(response.status), handle.get());
}

std::string PeerOf(MHD_Connection* connection) {
  const MHD_ConnectionInfo* client =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return client != nullptr ? AddressText(client->client_addr) : std::string();
}

class MhdServer final : public Server {
 public:
  MhdServer(const Options& options, Loop& loop, const Log& log, DeferredHandler handler)
      : options_(options),
        loop_(loop),
        log_(log),
        handler_(std::move(handler)),
        connections_({.most = options.max_connections,
                      .receive_within = options.receive_within,
                      .send_within = options.send_within}) {}
  ~MhdServer() override;

  Status Open();
  uint16_t port() const override { return port_; }

 private:
  static void* OnUri(void* self, const char* uri, MHD_Connection* connection) noexcept;
  static MHD_Result OnAccess(void* self, MHD_Connection* connection, const char* url,
                             const char* method, const char* version, const char* upload,
                             size_t* upload_bytes, void** exchange) noexcept;
  static void OnCompleted(void* self, MHD_Connection* connection, void** exchange,
                          MHD_RequestTerminationCode code) noexcept;
  static void OnMessage(void* self, const char* format, va_list arguments) noexcept;
  static void OnConnection(void* self, MHD_Connection* connection, void** context,
                           MHD_ConnectionNotificationCode code) noexcept;

  // Begins a phase of the connection.
  void Enter(MHD_Connection* connection, ConnectionTable::Phase phase);
  // Queues the answer and begins the time within which the client must read it.
  MHD_Result Respond(MHD_Connection* connection, Response response);
  // Shuts the socket down: libmicrohttpd then closes the connection.
  void End(ConnectionTable::Connection& connection);
  // Ends the connections whose clients take too long.
  void Sweep();
  std::chrono::milliseconds SweepInterval() const {
    return std::min(options_.receive_within, options_.send_within) / kSweepsPerLimit;
  }
  // Returns the answer to a request that its head alone makes unacceptable.
  std::optional<Response> Refuse(MHD_Connection* connection, std::string_view method,
                                 const Exchange& exchange) const;
  // Passes the request to the handler. Queues the answer, or suspends the connection until it
  // comes.
  MHD_Result Ask(MHD_Connection* connection, std::string_view url, std::string_view method,
                 Exchange& exchange);
  void Wake(Waiting& waiting);
  // Appends to the body. Returns false if so much was sent that the connection is to end.
  bool Take(std::string_view upload, Exchange& exchange) const;
  void Run();

  const Options options_;
  Loop& loop_;
  const Log& log_;
  const DeferredHandler handler_;
  const SystemClock clock_;
  uint16_t port_ = 0;
  ConnectionTable connections_;
  // A connection was closed since the last run.
  bool closed_ = false;
  std::set<std::shared_ptr<Waiting>> suspended_;
  MhdDaemonHandle daemon_;
  // Declared after the daemon, so that the watch ends before the daemon closes its epoll fd.
  std::unique_ptr<FdWatch> watch_;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<Timer> sweep_;
};

Status MhdServer::Open() {
  Result<ListenSocket> socket = ListenSocket::Open(options_);
  if (!socket) return socket.error();
  port_ = socket->port();
  // libmicrohttpd owns the socket from here on: MHD_stop_daemon closes it.
  daemon_.reset(MHD_start_daemon(
      MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_ALLOW_SUSPEND_RESUME,
      0, nullptr, nullptr, &MhdServer::OnAccess, this, MHD_OPTION_EXTERNAL_LOGGER,
      &MhdServer::OnMessage, this, MHD_OPTION_LISTEN_SOCKET, socket->Release(),
      MHD_OPTION_URI_LOG_CALLBACK, &MhdServer::OnUri, this, MHD_OPTION_NOTIFY_COMPLETED,
      &MhdServer::OnCompleted, this, MHD_OPTION_NOTIFY_CONNECTION, &MhdServer::OnConnection, this,
      MHD_OPTION_CONNECTION_LIMIT, options_.max_connections + kSpareConnections,
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, options_.max_connections_per_peer,
      MHD_OPTION_CONNECTION_TIMEOUT, options_.timeout_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      kConnectionMemoryBytes, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END));
  if (!daemon_) {
    return Error{
        ErrorCode::kUnavailable,
        fmt::format("start the HTTP server on {}: libmicrohttpd refused", options_.address)};
  }
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr || info->epoll_fd < 0) {
    return Error{ErrorCode::kInvalid, "start the HTTP server: this libmicrohttpd has no epoll"};
  }
  timer_ = loop_.AddTimer([this] { Run(); });
  sweep_ = loop_.AddTimer([this] { Sweep(); });
  watch_ = loop_.WatchFd(info->epoll_fd, [this](Ready) { Run(); });
  return {};
}

MhdServer::~MhdServer() {
  // libmicrohttpd cannot stop a daemon that has suspended connections.
  while (!suspended_.empty()) {
    const std::shared_ptr<Waiting> waiting = *suspended_.begin();
    waiting->answer = Problem(MHD_HTTP_SERVICE_UNAVAILABLE, "stopping");
    Wake(*waiting);
    suspended_.erase(waiting);
  }
}

void MhdServer::Run() {
  MHD_run(daemon_.get());
  // At its limit libmicrohttpd looks for new connections only in the run after one was closed.
  if (std::exchange(closed_, false)) return timer_->After(std::chrono::nanoseconds::zero());
  MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
  if (MHD_get_timeout(daemon_.get(), &timeout_ms) != MHD_YES) return timer_->Cancel();
  constexpr MHD_UNSIGNED_LONG_LONG kHourMs = 3'600'000;
  timer_->After(std::chrono::milliseconds(std::min(timeout_ms, kHourMs)));
}

void MhdServer::OnConnection(void* self, MHD_Connection* connection, void** context,
                             MHD_ConnectionNotificationCode code) noexcept {
  auto& server = *static_cast<MhdServer*>(self);
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    if (*context != nullptr)
      server.connections_.Remove(*static_cast<ConnectionTable::Connection*>(*context));
    *context = nullptr;
    server.closed_ = true;
    return;
  }
  const MHD_ConnectionInfo* socket =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (socket == nullptr) return;
  *context = &server.connections_.Add(socket->connect_fd, PeerNetwork(PeerOf(connection)),
                                      server.clock_.SinceBoot());
  if (auto* surplus = server.connections_.Surplus()) server.End(*surplus);
  if (!server.sweep_->armed()) server.sweep_->After(server.SweepInterval());
}

void MhdServer::Enter(MHD_Connection* connection, ConnectionTable::Phase phase) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info == nullptr || info->socket_context == nullptr) return;
  ConnectionTable::Enter(*static_cast<ConnectionTable::Connection*>(info->socket_context), phase,
                         clock_.SinceBoot());
}

MHD_Result MhdServer::Respond(MHD_Connection* connection, Response response) {
  Enter(connection, ConnectionTable::Phase::kSending);
  return Queue(connection, std::move(response));
}

void MhdServer::End(ConnectionTable::Connection& connection) {
  ::shutdown(connection.fd, SHUT_RDWR);
  connections_.End(connection);
}

void MhdServer::Sweep() {
  for (ConnectionTable::Connection* connection : connections_.Overdue(clock_.SinceBoot()))
    End(*connection);
  if (!connections_.empty()) sweep_->After(SweepInterval());
}

void* MhdServer::OnUri(void*, const char* uri, MHD_Connection*) noexcept {
  auto exchange = std::make_unique<Exchange>();
  // An encoded NUL would end the decoded path early.
  exchange->malformed_uri =
      uri == nullptr || std::string_view(uri).find("%00") != std::string_view::npos;
  if (uri != nullptr) exchange->uri_bytes = std::string_view(uri).size();
  return exchange.release();
}

void MhdServer::OnCompleted(void* self, MHD_Connection* connection, void** exchange,
                            MHD_RequestTerminationCode) noexcept {
  static_cast<MhdServer*>(self)->Enter(connection, ConnectionTable::Phase::kReceiving);
  const std::unique_ptr<Exchange> owned(static_cast<Exchange*>(*exchange));
  *exchange = nullptr;
}

void MhdServer::OnMessage(void* self, const char* format, va_list arguments) noexcept {
  std::array<char, 256> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  // libmicrohttpd logs what clients do wrong; our own failures are returned by the calls that fail.
  static_cast<MhdServer*>(self)->log_.Debug("http: {}", line.data());
}

std::optional<Response> MhdServer::Refuse(MHD_Connection* connection, std::string_view method,
                                          const Exchange& exchange) const {
  if (exchange.malformed_uri) return Problem(MHD_HTTP_BAD_REQUEST, "NUL in the URI");
  if (exchange.uri_bytes > options_.max_uri_bytes)
    return Problem(MHD_HTTP_URI_TOO_LONG, "URI too long");
  const int headers = MHD_get_connection_values(connection, MHD_HEADER_KIND, nullptr, nullptr);
  if (headers > 0 && static_cast<size_t>(headers) > options_.max_headers)
    return Problem(MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers");
  if (method != "GET" && method != "HEAD" && method != "POST") {
    return Problem(MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed");
  }
  if (DeclaredBytes(connection) > options_.max_body_bytes) {
    return Problem(MHD_HTTP_CONTENT_TOO_LARGE, "body too large");
  }
  return std::nullopt;
}

bool MhdServer::Take(std::string_view upload, Exchange& exchange) const {
  exchange.received_bytes += upload.size();
  if (exchange.received_bytes <= options_.max_body_bytes) {
    exchange.body.append(upload);
    return true;
  }
  exchange.body.clear();
  return exchange.received_bytes / kDrainFactor <= options_.max_body_bytes;
}

MHD_Result MhdServer::Ask(MHD_Connection* connection, std::string_view url, std::string_view method,
                          Exchange& exchange) {
  if (exchange.received_bytes > options_.max_body_bytes)
    return Respond(connection, Problem(MHD_HTTP_CONTENT_TOO_LARGE, "body too large"));
  Request request{.method = method == "HEAD" ? "GET" : method,
                  .path = url,
                  .query = {},
                  .authorization = HeaderOf(connection, MHD_HTTP_HEADER_AUTHORIZATION),
                  .body = exchange.body,
                  .host = HeaderOf(connection, MHD_HTTP_HEADER_HOST),
                  .peer = PeerOf(connection)};
  MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, &AddArgument, &request.query);
  const auto waiting = std::make_shared<Waiting>();
  exchange.waiting = waiting;
  handler_(request, [this, waiting](Response answer) {
    if (waiting->answer) return;
    waiting->answer = std::move(answer);
    // Not suspended: the handler is still running, and its caller queues the answer.
    if (waiting->suspended == nullptr) return;
    Wake(*waiting);
    suspended_.erase(waiting);
    timer_->After(std::chrono::nanoseconds::zero());
  });
  if (waiting->answer) return Respond(connection, *std::move(waiting->answer));
  waiting->suspended = connection;
  Enter(connection, ConnectionTable::Phase::kAnswering);
  suspended_.insert(waiting);
  MHD_suspend_connection(connection);
  return MHD_YES;
}

void MhdServer::Wake(Waiting& waiting) {
  CHECK(waiting.suspended != nullptr && waiting.answer,
        "a request is resumed once, to be answered");
  MHD_resume_connection(std::exchange(waiting.suspended, nullptr));
}

MHD_Result MhdServer::OnAccess(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char*, const char* upload,
                               size_t* upload_bytes, void** context) noexcept {
  auto& server = *static_cast<MhdServer*>(self);
  auto& exchange = *static_cast<Exchange*>(*context);
  if (!exchange.started) {
    exchange.started = true;
    std::optional<Response> refusal = server.Refuse(connection, method, exchange);
    return refusal ? server.Respond(connection, std::move(*refusal)) : MHD_YES;
  }
  if (*upload_bytes > 0) {
    const bool go_on = server.Take({upload, *upload_bytes}, exchange);
    *upload_bytes = 0;
    return go_on ? MHD_YES : MHD_NO;
  }
  if (!exchange.waiting) return server.Ask(connection, url, method, exchange);
  return exchange.waiting->answer ? server.Respond(connection, *std::move(exchange.waiting->answer))
                                  : MHD_NO;
}
}  // namespace

Response JsonLine(int status, std::string json) {
  json += '\n';
  return {.status = status, .body = std::move(json)};
}

Result<std::unique_ptr<Server>> Server::Start(const Options& options, Loop& loop, const Log& log,
                                              Handler handler) {
  return StartDeferred(options, loop, log,
                       [handler = std::move(handler)](const Request& request, const Reply& reply) {
                         reply(handler(request));
                       });
}

Result<std::unique_ptr<Server>> Server::StartDeferred(const Options& options, Loop& loop,
                                                      const Log& log, DeferredHandler handler) {
  auto server = std::make_unique<MhdServer>(options, loop, log, std::move(handler));
  if (Status opened = server->Open(); !opened) return opened.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace tidegate::http
