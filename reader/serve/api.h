// Answers the requests of the HTTP API: finds the endpoint, checks who asks, and replies. What the
// reader knows of itself is answered at once; what the database must be asked is answered later by
// the query pool. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/http/server.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "core/metrics.h"
#include "reader/serve/endpoint.h"
#include "reader/serve/endpoints.h"
#include "reader/serve/listing.h"
#include "reader/serve/query_pool.h"
#include "reader/serve/rate_limit.h"
#include "reader/serve/tokens.h"

namespace tidegate::reader {

struct ApiOptions {
  // True: POST /shutdown stops the reader; false: it is answered with 404.
  bool shutdown = false;
  RateLimit::Options rate = {};
  // nullopt: only this machine sees data, without a token.
  std::optional<TokenTable> tokens = {};
  QueryPool::Options pool = {};
};

class Api {
 public:
  struct Parts {
    Endpoints& state;
    // nullptr: this process has not the role `api` and answers only from its own state.
    QueryPool* queries;
    // A pool for Probe() alone, so that queries never make the reader look unready; nullptr where
    // `queries` is.
    QueryPool* probes;
    Loop& loop;
    Metrics& metrics;
    const Clock& clock;
    const Log& log;
    // Called after the answer to POST /shutdown was sent.
    std::function<void()> stop;
  };

  // `options` and all parts must outlive it. REQUIRES: the pools are started.
  Api(const ApiOptions& options, Placement placement, Parts parts);

  // Replaces the tokens; requests that are under way keep what they were allowed.
  void SetTokens(std::optional<TokenTable> tokens) { tokens_ = std::move(tokens); }

  // Replies exactly once, in this or in a later turn of the loop, at the latest after the pool's
  // deadline. Counts and times the request.
  void Answer(const http::Request& request, http::Reply reply);
  // Asks the database in the background whether it answers, for Endpoints::SetQueriesUp(). To be
  // called every few seconds; returns at once while the previous probe is pending.
  void Probe();

 private:
  // Who sent a request.
  struct Caller {
    Principal principal;
    // The name that the rate limit counts under.
    std::string name;
    // True if the request had a valid token.
    bool known = false;
  };

  Caller Identify(const http::Request& request) const;
  // Returns the refusal of a request; nullopt: the caller may ask this.
  std::optional<http::Response> Refuse(const http::Request& request, const Route& route,
                                       const Caller& caller);
  std::optional<http::Response> RefuseAccess(const http::Request& request, const Endpoint& endpoint,
                                             const Caller& caller) const;
  // Returns what is answered without the database; nullopt: the database must be asked.
  std::optional<http::Response> AnswerAtOnce(const Endpoint& endpoint, const Caller& caller);
  void List(const Route& route, const http::Request& request, const Caller& caller,
            http::Reply reply);
  void Stats(const Route& route, const http::Request& request, const Caller& caller,
             http::Reply reply);
  void Submit(const Caller& caller, const std::string& database, QueryPool::Job job,
              http::Reply reply);
  // Answers a query that was not accepted.
  http::Response RefuseQuery(QueryPool::Admission admission, const Caller& caller);
  // Wraps `reply` so that it counts the answer and adds the headers that all answers have.
  http::Reply Counted(const Endpoint* endpoint, http::Reply reply);
  void Collect();

  const ApiOptions& options_;
  const Placement placement_;
  const Parts parts_;
  std::optional<TokenTable> tokens_;
  RateLimit rate_;
  LogLimit refusal_log_;
  bool probing_ = false;
  std::unique_ptr<Timer> deadline_;
  std::unique_ptr<Timer> stop_;
  std::unique_ptr<FdWatch> watch_;
  std::unique_ptr<FdWatch> probe_watch_;
  Metrics::Gauge& servers_down_;
};

}  // namespace tidegate::reader
