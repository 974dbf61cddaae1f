// The HTTP API: finds the endpoint, lets in who may ask, and answers: at once what the reader knows
// of itself, later what the database is asked on the query pool. One thread, the loop's.
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
  bool shutdown = false;  // Whether POST /shutdown is answered at all.
  RateLimit::Options rate = {};
  std::optional<TokenTable> tokens = {};  // Without them only this machine sees data.
  QueryPool::Options pool = {};
};

class Api {
 public:
  struct Parts {
    Endpoints& state;
    QueryPool* queries;  // nullptr: this process has no role `api` and shows only its own state.
    Loop& loop;
    Metrics& metrics;
    const Clock& clock;
    const Log& log;
    std::function<void()> stop;  // What POST /shutdown does, after its answer is on its way.
  };

  // All parts must outlive it. REQUIRES: the pool is started.
  Api(const ApiOptions& options, Placement placement, Parts parts);

  void Answer(const http::Request& request, http::Reply reply);
  // Asks in the background whether the database answers; call it every few seconds.
  void Probe();

 private:
  // Who asks, once let in.
  struct Caller {
    Principal principal;
    std::string name;    // For the rate limit.
    bool known = false;  // Has a token.
  };

  Caller Identify(const http::Request& request) const;
  // Why not; nullopt: let in.
  std::optional<http::Response> Refuse(const http::Request& request, const Route& route,
                                       const Caller& caller);
  std::optional<http::Response> RefuseAccess(const http::Request& request, const Endpoint& endpoint,
                                             const Caller& caller) const;
  // What is answered at once; nullopt: the database has to be asked.
  std::optional<http::Response> AnswerAtOnce(const Endpoint& endpoint, const Caller& caller);
  void List(const Route& route, const http::Request& request, const Caller& caller,
            http::Reply reply);
  void Stats(const Route& route, const http::Request& request, const Caller& caller,
             http::Reply reply);
  void Submit(QueryPool::Job job, http::Reply reply);
  // Counts the answer, and gives it the headers that all have.
  http::Reply Counted(const Endpoint* endpoint, http::Reply reply);
  void Collect();

  const ApiOptions& options_;
  const Placement placement_;
  const Parts parts_;
  RateLimit rate_;
  LogLimit refusal_log_;
  bool probing_ = false;
  std::unique_ptr<Timer> deadline_;
  std::unique_ptr<Timer> stop_;
  std::unique_ptr<FdWatch> watch_;
};

}  // namespace tidegate::reader
