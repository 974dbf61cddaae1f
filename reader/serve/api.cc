#include "reader/serve/api.h"

#include <fmt/format.h>

#include <array>

#include "core/check.h"
#include "core/http/peer.h"
#include "core/json/tree.h"
#include "reader/serve/arguments.h"
#include "reader/serve/openapi.h"
#include "reader/serve/problem.h"
#include "reader/serve/status_page.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr uint64_t kMaxCount = 100'000;
// Within it the answer to POST /shutdown is sent.
constexpr milliseconds kStopDelay{100};
const std::vector<double> kSecondsBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                         0.1,   0.25,   0.5,   1,    2.5,   5};

// Probes are never refused for the sake of others' requests.
bool IsProbe(const Endpoint* endpoint) {
  return endpoint != nullptr &&
         (endpoint->answer == Answer::kHealthz || endpoint->answer == Answer::kReadyz ||
          endpoint->answer == Answer::kHealth);
}

http::Response Html(std::string body) {
  return {
      .status = 200,
      .content_type = "text/html; charset=utf-8",
      .body = std::move(body),
      .headers = {{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"}}};
}

// Returns whether this machine asks, and no page of its browser that has rebound its own name.
bool IsLocal(const http::Request& request) {
  return http::IsLoopback(request.peer) && http::IsLoopbackHost(request.host);
}

// What /stats counts.
struct CountedList {
  std::string_view name;
  Listing listing;
  std::optional<Condition> where = {};
};
const std::array<CountedList, 4>& CountedLists() {
  static const std::array<CountedList, 4> lists{
      CountedList{"devices", {.collection = "assets", .time_member = "first_seen"}},
      CountedList{"active_alerts",
                  {.collection = "alert_states", .time_member = "raised_at"},
                  Condition{"status", {"raised"}}},
      CountedList{"active_failures",
                  {.collection = "failures", .time_member = "started_at"},
                  Condition{"active", {true}}},
      CountedList{"losses", {.collection = "losses"}}};
  return lists;
}

std::string StoppingJson() {
  json::Tree body;
  body.members().Text("status", "stopping");
  return body.Print();
}

using NamedQuery = std::pair<std::string_view, Query>;

// A server that took too long has answered; one that is unreachable has not.
QueryPool::Outcome Failed(const Error& error) {
  return {Problem(error), error.code != ErrorCode::kUnavailable};
}

QueryPool::Outcome CountAll(std::span<const NamedQuery> queries, QueryStore& store,
                            milliseconds left) {
  json::Tree counts;
  for (const auto& [name, query] : queries) {
    const auto count = store.Count(query, kMaxCount, left / static_cast<int64_t>(queries.size()));
    if (!count.ok()) return Failed(count.error());
    counts.members().Unsigned(name, *count);
  }
  return {{.status = 200, .body = counts.Print()}};
}
}  // namespace

Api::Api(const ApiOptions& options, Placement placement, Parts parts)
    : options_(options),
      placement_(std::move(placement)),
      parts_(std::move(parts)),
      tokens_(options.tokens),
      rate_(options.rate),
      servers_down_(parts_.metrics.AddGauge(
          "tidegate_reader_api_servers_down",
          "Database servers whose queries are refused because they do not answer.")) {
  stop_ = parts_.loop.AddTimer([this] { parts_.stop(); });
  if (parts_.queries == nullptr) return;
  CHECK(parts_.queries->fd() >= 0, "the pool is started");
  deadline_ = parts_.loop.AddTimer([this] { Collect(); });
  watch_ = parts_.loop.WatchFd(parts_.queries->fd(), [this](Ready) { Collect(); });
  CHECK(parts_.probes != nullptr && parts_.probes->fd() >= 0, "the probes' pool is started");
  probe_watch_ =
      parts_.loop.WatchFd(parts_.probes->fd(), [this](Ready) { parts_.probes->Collect(); });
}

void Api::Answer(const http::Request& request, http::Reply reply) {
  const Route route = FindRoute(request.method, request.path);
  reply = Counted(route.endpoint, std::move(reply));
  const Caller caller = Identify(request);
  if (auto refusal = Refuse(request, route, caller)) return reply(*std::move(refusal));
  if (auto answer = AnswerAtOnce(*route.endpoint, caller)) return reply(*std::move(answer));
  if (route.endpoint->answer == Answer::kStats)
    return Stats(route, request, caller, std::move(reply));
  List(route, request, caller, std::move(reply));
}

Api::Caller Api::Identify(const http::Request& request) const {
  const std::string peer = "peer " + http::PeerNetwork(request.peer);
  if (!tokens_) return {{.every_tenant = IsLocal(request)}, peer, false};
  std::string name;
  const Principal* principal = tokens_->Find(request.authorization, &name);
  if (principal == nullptr) return {{}, peer, false};
  return {*principal, "token " + name, true};
}

std::optional<http::Response> Api::Refuse(const http::Request& request, const Route& route,
                                          const Caller& caller) {
  const BootTime now = parts_.clock.SinceBoot();
  if (!IsProbe(route.endpoint)) {
    if (const auto wait = rate_.Take(caller.name, now)) {
      if (const auto count = refusal_log_.Count(now))
        parts_.log.Warning("api: {} requests refused, now of {}", *count, caller.name);
      http::Response response = Problem(429, "over the rate limit");
      response.headers.emplace_back("Retry-After", std::to_string(wait->count()));
      return response;
    }
  }
  if (route.endpoint != nullptr) return RefuseAccess(request, *route.endpoint, caller);
  if (route.allowed.empty()) return Problem(404, "there is no such path; /openapi.json has all");
  http::Response response = Problem(405, {});
  response.headers.emplace_back("Allow", std::string(route.allowed));
  return response;
}

std::optional<http::Response> Api::RefuseAccess(const http::Request& request,
                                                const Endpoint& endpoint,
                                                const Caller& caller) const {
  if (endpoint.answer == Answer::kShutdown && !options_.shutdown)
    return Problem(404, "TIDEGATE_HTTP_SHUTDOWN is off");
  if (endpoint.access == Access::kOpen) return std::nullopt;
  if (tokens_ || endpoint.access == Access::kAdmin) {
    if (!caller.known) {
      http::Response response = Problem(401, "a bearer token is needed");
      response.headers.emplace_back("WWW-Authenticate", "Bearer");
      return response;
    }
    if (endpoint.access == Access::kTenant || caller.principal.every_tenant) {
      if (endpoint.access != Access::kAdmin || caller.principal.role == Role::kAdmin)
        return std::nullopt;
    }
    return Problem(403, "this token may not ask that");
  }
  if (endpoint.answer == Answer::kMetrics) return std::nullopt;
  if (IsLocal(request)) return std::nullopt;
  return Problem(403, "without the credential api.tokens only this machine may ask that");
}

std::optional<http::Response> Api::AnswerAtOnce(const Endpoint& endpoint, const Caller& caller) {
  const Endpoints& state = parts_.state;
  const bool why = caller.principal.every_tenant;
  switch (endpoint.answer) {
    case Answer::kPage:
      return Html(
          StatusPage({state.version(), state.uptime(), state.kafka_up(), state.database_up()}));
    case Answer::kOpenApi:
      return http::JsonLine(200, OpenApi(state.version()));
    case Answer::kHealthz:
      return state.Healthz(why);
    case Answer::kHealth:
    case Answer::kReadyz:
      return state.Readyz(why);
    case Answer::kMetrics:
      return state.MetricsText();
    case Answer::kShutdown:
      parts_.log.Info("POST /shutdown: stopping");
      stop_->After(kStopDelay);
      return http::JsonLine(202, StoppingJson());
    case Answer::kStats:
      if (parts_.queries == nullptr) return state.Stats(why, {});
      return std::nullopt;
    case Answer::kList:
      if (parts_.queries == nullptr) return Problem(404, "this process has not the role api");
      return std::nullopt;
  }
  return std::nullopt;
}

void Api::List(const Route& route, const http::Request& request, const Caller& caller,
               http::Reply reply) {
  CHECK(route.endpoint->listing != nullptr, "an endpoint that lists has a listing");
  const Listing& listing = *route.endpoint->listing;
  const auto arguments = ReadArguments(route, request.path, request.query);
  if (!arguments.ok()) return reply(Problem(arguments.error()));
  auto query = PlanQuery(listing, *arguments, caller.principal, placement_, parts_.clock.Now());
  if (!query.ok()) return reply(Problem(query.error()));
  const std::string database = query->ns.database;
  Submit(
      caller, database,
      [&listing, &log = parts_.log, query = std::move(query).value(), limit = arguments->limit,
       list = arguments->list](QueryStore& store, milliseconds left) -> QueryPool::Outcome {
        const auto page = store.Find(query, {.documents = limit}, left);
        if (!page.ok()) {
          log.Debug("api: {}", page.error().message);
          return Failed(page.error());
        }
        return {http::JsonLine(200, WritePage(listing, *page, list))};
      },
      std::move(reply));
}

void Api::Stats(const Route& route, const http::Request& request, const Caller& caller,
                http::Reply reply) {
  const auto arguments = ReadArguments(route, request.path, request.query);
  if (!arguments.ok()) return reply(Problem(arguments.error()));
  const bool everything = caller.principal.every_tenant;
  std::vector<NamedQuery> queries;
  for (const auto& list : CountedLists()) {
    auto query =
        PlanQuery(list.listing, *arguments, caller.principal, placement_, parts_.clock.Now());
    if (!query.ok() && query.error().code == ErrorCode::kRejected)
      return reply(Problem(query.error()));
    // An operator who names no tenant gets no counts where each has a database of its own.
    if (!query.ok()) return reply(parts_.state.Stats(everything, "null"));
    if (list.where) query->where.push_back(*list.where);
    queries.emplace_back(list.name, std::move(query).value());
  }
  const std::string database = queries.front().second.ns.database;
  Submit(
      caller, database,
      [queries = std::move(queries)](QueryStore& store, milliseconds left) {
        return CountAll(queries, store, left);
      },
      [this, everything, reply = std::move(reply)](const http::Response& counts) {
        reply(parts_.state.Stats(everything, counts.status == 200 ? counts.body : "null"));
      });
}

void Api::Submit(const Caller& caller, const std::string& database, QueryPool::Job job,
                 http::Reply reply) {
  const auto admission = parts_.queries->Submit(
      {.caller = caller.name, .server = placement_.ServerOf(database)}, std::move(job), reply);
  if (admission != QueryPool::Admission::kAccepted) return reply(RefuseQuery(admission, caller));
  if (!deadline_->armed()) Collect();
}

http::Response Api::RefuseQuery(QueryPool::Admission admission, const Caller& caller) {
  const bool down = admission == QueryPool::Admission::kServerDown;
  const bool of_caller = admission == QueryPool::Admission::kCallerFull;
  parts_.metrics
      .AddCounter("tidegate_reader_api_refused_total",
                  "Queries refused, by what was full: the queue, the caller's share of it, or the "
                  "server's (down).",
                  {{"reason", down        ? "server"
                              : of_caller ? "caller"
                                          : "queue"}})
      .Increment();
  if (down) return Problem(Error{ErrorCode::kUnavailable, {}});
  if (const auto count = refusal_log_.Count(parts_.clock.SinceBoot()))
    parts_.log.Warning("api: {} requests refused, now of {}", *count, caller.name);
  http::Response response = of_caller ? Problem(429, "too many of your queries wait already")
                                      : Problem(503, "too many queries wait already");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

void Api::Collect() {
  parts_.queries->Collect();
  servers_down_.Set(static_cast<double>(parts_.queries->servers_down()));
  const auto next = parts_.queries->NextDeadline();
  if (!next) return deadline_->Cancel();
  deadline_->After(std::max(*next - parts_.clock.SinceBoot(), BootTime::duration::zero()));
}

void Api::Probe() {
  if (parts_.probes == nullptr) return;
  parts_.probes->Collect();  // Answers a probe that has taken too long.
  if (probing_) return;
  const auto ping = [](QueryStore& store, milliseconds left) -> QueryPool::Outcome {
    const Status status = store.Ping(left);
    // Whatever the answer, the next probe is to be made.
    return {status.ok() ? http::Response{} : Problem(status.error())};
  };
  const auto admission = parts_.probes->Submit({}, ping, [this](const http::Response& response) {
    probing_ = false;
    parts_.state.SetQueriesUp(response.status == 200);
  });
  probing_ = admission == QueryPool::Admission::kAccepted;
}

http::Reply Api::Counted(const Endpoint* endpoint, http::Reply reply) {
  const BootTime began = parts_.clock.SinceBoot();
  const std::string path(endpoint != nullptr ? endpoint->path : "other");
  return [this, began, path, reply = std::move(reply)](http::Response response) {
    parts_.metrics
        .AddCounter("tidegate_reader_api_requests_total", "Requests answered, by path and status.",
                    {{"path", path}, {"status", std::to_string(response.status)}})
        .Increment();
    parts_.metrics
        .AddHistogram("tidegate_reader_api_request_seconds",
                      "Time from a request to its answer, by path.", kSecondsBounds,
                      {{"path", path}})
        .Observe(std::chrono::duration<double>(parts_.clock.SinceBoot() - began).count());
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    reply(std::move(response));
  };
}

}  // namespace tidegate::reader
