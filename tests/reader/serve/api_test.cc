// The API as a whole, on a database in memory: who gets in, what they see, and what is answered
// when something is in the way.
#include "reader/serve/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json/json.h"
#include "core/time_format.h"
#include "reader/serve/arguments.h"
#include "reader/serve/cursor.h"
#include "tests/support/fake_clock.h"
#include "tests/support/poll_loop.h"
#include "tests/support/reader/fake_query_store.h"

namespace tidegate::reader {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kTokens =
    "token-of-acme-0000 tenants=acme role=read\n"
    "token-of-acme-boss tenants=acme role=admin\n"
    "token-of-two-00000 tenants=acme,globex role=read\n"
    "token-of-viewer-00 tenants=* role=read\n"
    "token-of-admin-000 tenants=* role=admin\n";
constexpr std::string_view kAcme = "Bearer token-of-acme-0000";
constexpr std::string_view kViewer = "Bearer token-of-viewer-00";
constexpr std::string_view kAdmin = "Bearer token-of-admin-000";

class ApiTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.rate = {.per_second = 1'000, .burst = 10'000};
    board_.Post(0, {.database_up = true, .kafka_up = true, .last_turn = clock_.SinceBoot()});
  }

  void TearDown() override { database_.Release(); }

  // REQUIRES: options_ and placement_ are as they shall be.
  void Open(bool with_queries = true) {
    placement_.streams.assign(BuiltInStreams().begin(), BuiltInStreams().end());
    pool_ = std::make_unique<QueryPool>(
        options_.pool,
        [this]() -> Result<std::unique_ptr<QueryStore>> { return database_.NewStore(); }, clock_,
        log_);
    ASSERT_TRUE(pool_->Start().ok());
    probes_ = std::make_unique<QueryPool>(
        QueryPool::Options{.threads = 1, .queue = 1},
        [this]() -> Result<std::unique_ptr<QueryStore>> { return database_.NewStore(); }, clock_,
        log_);
    ASSERT_TRUE(probes_->Start().ok());
    api_ = std::make_unique<Api>(options_, placement_,
                                 Api::Parts{.state = state_,
                                            .queries = with_queries ? pool_.get() : nullptr,
                                            .probes = with_queries ? probes_.get() : nullptr,
                                            .loop = loop_,
                                            .metrics = metrics_,
                                            .clock = clock_,
                                            .log = log_,
                                            .stop = [this] { stopped_ = true; }});
  }
  void UseTokens() { options_.tokens = TokenTable::Parse(kTokens).value(); }

  http::Response Ask(http::Request request) {
    std::optional<http::Response> answer;
    api_->Answer(request, [&](http::Response response) { answer = std::move(response); });
    EXPECT_TRUE(loop_.RunUntil([&] { return answer.has_value(); }));
    return answer.value_or(http::Response{});
  }
  http::Response Get(std::string_view path, std::map<std::string, std::string> query = {},
                     std::string_view authorization = {}) {
    return Ask({.method = "GET",
                .path = path,
                .query = std::move(query),
                .authorization = authorization,
                .body = {},
                .host = host_,
                .peer = peer_});
  }

  // One document of every kind for that tenant, in the database that the tenancy says. All tenants
  // have the same devices.
  void Fill(const std::string& tenant) {
    const std::string database = placement_.tenancy == Tenancy::kShared
                                     ? placement_.database
                                     : DatabaseForTenant(placement_.database, tenant).name;
    const std::string time = R"("2025-06-22T23:00:00.000Z")";
    const auto add = [&](const char* collection, const std::string& members) {
      const std::string id = tenant + "/truck/1";
      database_.Add({database, collection}, id,
                    R"({"_id":")" + id + R"(","tenant_id":")" + tenant +
                        R"(","asset_id":"truck","secret":"of-)" + tenant + R"(",)" + members + "}");
    };
    for (const char* collection : {"heartbeats", "telemetry_raw", "alerts", "gaps"})
      add(collection, R"("timestamp":)" + time);
    add("assets", R"("first_seen":)" + time);
    add("aggregated_data",
        R"("sensor_type":"t","window":"1h","count":2,"sum":5,"timestamp":)" + time);
    add("failures", R"("active":true,"started_at":)" + time);
    add("alert_states",
        R"("status":"raised","severity":"critical","rule":"hot","raised_at":)" + time);
    add("losses", R"("kind":"gap","timestamp":)" + time);
  }

  FakeClock clock_;
  Log log_{LogLevel::kError};
  Metrics metrics_;
  StatusBoard board_{1};
  Endpoints state_{{"1.2.3", "sqlite:x"}, board_, metrics_, clock_};
  FakeDatabase database_;
  PollLoop loop_;
  ApiOptions options_;
  Placement placement_;
  std::string host_ = "127.0.0.1:8002";
  std::string peer_ = "127.0.0.1";
  bool stopped_ = false;
  std::unique_ptr<QueryPool> pool_;
  std::unique_ptr<QueryPool> probes_;
  std::unique_ptr<Api> api_;
};

TEST_F(ApiTest, EveryListAnswersWithItsDocuments) {
  Fill("acme");
  Open();
  for (const Endpoint& endpoint : EndpointTable()) {
    if (endpoint.answer != Answer::kList) continue;
    std::string path(endpoint.path);
    if (const size_t id = path.find("{id}"); id != std::string::npos) path.replace(id, 4, "truck");
    const http::Response response = Get(path);
    EXPECT_EQ(response.status, 200) << path << response.body;
    EXPECT_THAT(response.body, HasSubstr(R"("secret":"of-acme")")) << path;
    EXPECT_THAT(response.body, HasSubstr(R"("count":1,"next_cursor":null)")) << path;
  }
}

TEST_F(ApiTest, PagesFollowOneAnother) {
  for (int i = 0; i < 5; ++i) {
    const std::string id = "acme/a/" + std::to_string(i);
    database_.Add({"tidegate", "telemetry_raw"}, id,
                  R"({"_id":")" + id + R"(","n":)" + std::to_string(i) +
                      R"(,"timestamp":"2025-06-22T23:00:00.000Z"})");
  }
  Open();
  std::vector<double> numbers;
  std::map<std::string, std::string> query{{"limit", "2"}};
  for (int page = 0; page < 3; ++page) {
    const auto body = json::Document::Parse(Get("/telemetry", query).body).value();
    for (auto item = body.root().Find("items")->First(); item; item = item->Next())
      numbers.push_back(item->Find("n")->as_number());
    const json::Value next = *body.root().Find("next_cursor");
    ASSERT_EQ(next.is_string(), page < 2);
    if (next.is_string()) query["cursor"] = std::string(next.as_string());
  }
  EXPECT_EQ(numbers, (std::vector<double>{4, 3, 2, 1, 0}));
}

// The promise to tenants: whatever is asked, in either tenancy.
class TenantTest : public ApiTest, public testing::WithParamInterface<Tenancy> {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    placement_.tenancy = GetParam();
    UseTokens();
    Fill("acme");
    Fill("globex");
    board_.Post(0, {.trouble = "create index on tidegate_globex.heartbeats",
                    .partitions = {{{"telemetry.globex", 0}, 1}}});
    metrics_.AddCounter("tenant_total", "By tenant.", {{"tenant", "globex"}}).Increment();
    Open();
  }
  static std::vector<std::map<std::string, std::string>> Attempts() {
    return {{},
            {{"tenant", "acme"}},
            {{"tenant", "globex"}},
            {{"device", "truck"}},
            {{"stream", "heartbeat"}},
            {{"stream", "gap"}, {"tenant", "globex"}},
            {{"stream", "tidegate_globex.heartbeats"}},
            {{"status", "raised"}},
            {{"kind", "offsets"}},
            {{"limit", "1000"}, {"from", "2000-01-01T00:00:00Z"}}};
  }
};

TEST_P(TenantTest, ATenantsTokenNeverSeesAnothersData) {
  size_t seen = 0;
  for (const Endpoint& endpoint : EndpointTable()) {
    for (const char* id : {"truck", "globex/truck", "../truck", "*"}) {
      std::string path(endpoint.path);
      if (const size_t at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, id);
      for (const auto& query : Attempts()) {
        const http::Response response = Ask({.method = endpoint.method,
                                             .path = path,
                                             .query = query,
                                             .authorization = kAcme,
                                             .body = {},
                                             .host = host_,
                                             .peer = peer_});
        EXPECT_THAT(response.body, Not(HasSubstr("globex"))) << path;
        if (response.body.find("of-acme") != std::string::npos) ++seen;
      }
    }
  }
  EXPECT_GT(seen, 50u);  // Its own it does see.
  EXPECT_FALSE(stopped_);
}

// Whatever place a cursor names, also one that its bearer has made up.
TEST_P(TenantTest, ACursorCarriesNoRights) {
  const std::map<std::string, std::string> query{{"tenant", "acme"}};
  const uint64_t list = ReadArguments(FindRoute("GET", "/alerts"), "/alerts", query)->list;
  for (const char* id : {"globex/truck/0", "globex/truck/2", "zzz"}) {
    const std::string cursor = EncodeCursor({*ParseTime("2025-06-22T23:00:00Z"), id}, list);
    const http::Response response = Get("/alerts", {{"tenant", "acme"}, {"cursor", cursor}}, kAcme);
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.body, HasSubstr("of-acme"));
    EXPECT_THAT(response.body, Not(HasSubstr("of-globex")));
    EXPECT_EQ(Get("/alerts", {{"tenant", "globex"}, {"cursor", cursor}}, kAcme).status, 400);
  }
}

TEST_P(TenantTest, ATokenOfTwoTenantsSeesBothAndNoThird) {
  Fill("initech");
  for (const char* tenant : {"acme", "globex"}) {
    const http::Response response =
        Get("/devices", {{"tenant", tenant}}, "Bearer token-of-two-00000");
    EXPECT_THAT(response.body, HasSubstr(std::string("of-") + tenant));
  }
  EXPECT_EQ(Get("/devices", {{"tenant", "initech"}}, "Bearer token-of-two-00000").status, 403);
  EXPECT_THAT(Get("/devices", {}, "Bearer token-of-two-00000").body, Not(HasSubstr("initech")));
}

TEST_P(TenantTest, WithoutATokenNobodySeesAnything) {
  for (const std::string_view authorization :
       {std::string_view(), std::string_view("Bearer token-of-acme-0001")}) {
    for (const Endpoint& endpoint : EndpointTable()) {
      std::string path(endpoint.path);
      if (const size_t at = path.find("{id}"); at != std::string::npos)
        path.replace(at, 4, "truck");
      const http::Response response = Ask({.method = endpoint.method,
                                           .path = path,
                                           .query = {},
                                           .authorization = authorization,
                                           .body = {},
                                           .host = host_,
                                           .peer = peer_});
      EXPECT_THAT(response.body, Not(HasSubstr("globex"))) << path;
      EXPECT_THAT(response.body, Not(HasSubstr("of-acme"))) << path;
      if (endpoint.access != Access::kOpen && endpoint.answer != Answer::kShutdown) {
        EXPECT_EQ(response.status, 401) << path;
      }
    }
  }
}

TEST_P(TenantTest, AnOperatorSeesEveryTenantsNamesAndMetrics) {
  EXPECT_THAT(Get("/metrics", {}, kViewer).body, HasSubstr("globex"));
  EXPECT_THAT(Get("/stats", {}, kViewer).body, HasSubstr("telemetry.globex"));
  EXPECT_THAT(Get("/devices", {{"tenant", "globex"}}, kViewer).body, HasSubstr("of-globex"));
  EXPECT_EQ(Get("/metrics", {}, kAcme).status, 403);
}

INSTANTIATE_TEST_SUITE_P(Tenancies, TenantTest,
                         testing::Values(Tenancy::kShared, Tenancy::kDatabase),
                         [](const auto& instance) {
                           return instance.param == Tenancy::kShared ? "Shared" : "Database";
                         });

TEST_F(ApiTest, WithoutTokensOnlyThisMachineSeesData) {
  Fill("acme");
  Open();
  EXPECT_EQ(Get("/devices").status, 200);
  peer_ = "10.0.0.1";
  EXPECT_EQ(Get("/devices").status, 403);
  EXPECT_EQ(Get("/stats").status, 403);
  EXPECT_EQ(Get("/metrics").status, 200);
  EXPECT_NE(Get("/health").status, 403);
  peer_ = "127.0.0.1";
  // A page in this machine's browser that has rebound its name.
  for (const char* host : {"evil.example", "127.evil.example", "127.0.0.1.evil.example:8002"}) {
    host_ = host;
    EXPECT_EQ(Get("/devices").status, 403) << host;
  }
  for (const char* host : {"localhost", "localhost:8002", "[::1]:8002", "127.0.0.1"}) {
    host_ = host;
    EXPECT_EQ(Get("/devices").status, 200) << host;
  }
}

TEST_F(ApiTest, WithoutTokensOnlyThisMachineIsToldWhy) {
  board_.Post(0, {.trouble = "connect to globex.example", .parked = {"tidegate_globex: down"}});
  Open();
  for (const char* path : {"/health", "/healthz", "/readyz"})
    EXPECT_THAT(Get(path).body, HasSubstr("globex")) << path;
  host_ = "evil.example";
  for (const char* path : {"/health", "/healthz", "/readyz"})
    EXPECT_THAT(Get(path).body, Not(HasSubstr("globex"))) << path;
  host_ = "reader:8002";
  peer_ = "10.0.0.1";
  for (const char* path : {"/health", "/healthz", "/readyz", "/stats", "/"})
    EXPECT_THAT(Get(path).body, Not(HasSubstr("globex"))) << path;
  EXPECT_EQ(Get("/health").status, 503);
}

TEST_F(ApiTest, ShutdownNeedsTheSettingAndAnAdmin) {
  UseTokens();
  Open();
  const auto post = [&](std::string_view authorization) {
    return Ask({.method = "POST",
                .path = "/shutdown",
                .query = {},
                .authorization = authorization,
                .body = {},
                .host = host_,
                .peer = peer_})
        .status;
  };
  EXPECT_EQ(post(kAdmin), 404);
  options_.shutdown = true;
  EXPECT_EQ(post(""), 401);
  EXPECT_EQ(post(kViewer), 403);
  EXPECT_EQ(post("Bearer token-of-acme-boss"), 403);
  EXPECT_FALSE(stopped_);
  EXPECT_EQ(post(kAdmin), 202);
  EXPECT_TRUE(loop_.RunUntil([&] { return stopped_; }));
}

TEST_F(ApiTest, AnOutageIs503AndTheStateIsStillTold) {
  Open();
  database_.TakeDown();
  const http::Response response = Get("/alerts");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_THAT(response.body, HasSubstr(R"("title":"Service Unavailable","status":503)"));
  EXPECT_THAT(response.headers, testing::Contains(testing::Pair("Retry-After", "5")));
  EXPECT_THAT(Get("/stats").body, HasSubstr(R"("counts":null)"));
  api_->Probe();
  ASSERT_TRUE(loop_.RunUntil([&] { return !state_.database_up(); }));
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(ApiTest, StatsCountWhatTheAskerMaySee) {
  UseTokens();
  Fill("acme");
  Fill("globex");
  Open();
  EXPECT_THAT(
      Get("/stats", {}, kAcme).body,
      HasSubstr(R"("counts":{"devices":1,"active_alerts":1,"active_failures":1,"losses":1})"));
  EXPECT_THAT(Get("/stats", {}, kViewer).body, HasSubstr(R"("counts":{"devices":2,)"));
}

TEST_F(ApiTest, OverTheRateIs429ButProbesPass) {
  options_.rate = {.per_second = 1, .burst = 2};
  Open();
  EXPECT_EQ(Get("/openapi.json").status, 200);
  EXPECT_EQ(Get("/nothing").status, 404);
  const http::Response response = Get("/openapi.json");
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.headers, testing::Contains(testing::Pair("Retry-After", "1")));
  for (const char* probe : {"/healthz", "/readyz", "/health"})
    EXPECT_EQ(Get(probe).status, 200) << probe;
  peer_ = "127.0.0.2";
  EXPECT_EQ(Get("/openapi.json").status, 200);
}

TEST_F(ApiTest, AllAddressesOfAnIpv6NetworkShareOneRate) {
  options_.rate = {.per_second = 1, .burst = 2};
  Open();
  for (const char* peer : {"2001:db8::1", "2001:db8::2"}) {
    peer_ = peer;
    EXPECT_EQ(Get("/openapi.json").status, 200);
  }
  peer_ = "2001:db8::3";
  EXPECT_EQ(Get("/openapi.json").status, 429);
  peer_ = "2001:db8:0:1::3";
  EXPECT_EQ(Get("/openapi.json").status, 200);
}

// Thirty requests of one token for a tenant whose server hangs: others get their answers, and the
// reader stays ready.
TEST_F(ApiTest, QueriesOfADeadTenantDelayNoOthersAndNoProbe) {
  placement_.tenancy = Tenancy::kDatabase;
  placement_.own_servers = {"tidegate_acme"};
  options_.pool = {.threads = 2};
  UseTokens();
  Fill("globex");
  Fill("acme");
  Open();
  database_.Hang("tidegate_acme");
  int refused = 0;
  for (int i = 0; i < 30; ++i) {
    api_->Answer({.method = "GET",
                  .path = "/devices",
                  .query = {},
                  .authorization = kAcme,
                  .body = {},
                  .host = host_,
                  .peer = peer_},
                 [&](const http::Response& response) { refused += response.status == 429; });
  }
  EXPECT_GE(refused, 30 - 2 - 16);
  EXPECT_THAT(Get("/devices", {{"tenant", "globex"}}, kViewer).body, HasSubstr("of-globex"));
  api_->Probe();
  EXPECT_TRUE(loop_.RunUntil([&] { return probes_->under_way() == 0; }));
  EXPECT_TRUE(state_.database_up());
  EXPECT_EQ(Get("/readyz").status, 200);
  database_.Release();
}

TEST_F(ApiTest, NewTokensCountAtOnce) {
  UseTokens();
  Fill("acme");
  Open();
  EXPECT_EQ(Get("/devices", {}, kAcme).status, 200);
  api_->SetTokens(TokenTable::Parse("another-token-of-acme tenants=acme role=read").value());
  EXPECT_EQ(Get("/devices", {}, kAcme).status, 401);
  EXPECT_EQ(Get("/devices", {}, "Bearer another-token-of-acme").status, 200);
}

TEST_F(ApiTest, MistakesAreProblems) {
  Open();
  EXPECT_EQ(Get("/nothing").status, 404);
  EXPECT_EQ(Get("/alerts", {{"limit", "0"}}).status, 400);
  EXPECT_EQ(Get("/alerts", {{"limit", "0"}}).content_type, "application/problem+json");
  const http::Response response = Get("/shutdown");
  EXPECT_EQ(response.status, 405);
  EXPECT_THAT(response.headers, testing::Contains(testing::Pair("Allow", "POST")));
}

TEST_F(ApiTest, AProcessWithoutTheRoleShowsOnlyItself) {
  Open(false);
  EXPECT_EQ(Get("/devices").status, 404);
  EXPECT_EQ(Get("/metrics").status, 200);
  EXPECT_EQ(Get("/stats").status, 200);
}

TEST_F(ApiTest, ThePageNeedsNothingFromElsewhere) {
  Open();
  const http::Response response = Get("/");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.content_type, HasSubstr("text/html"));
  for (const char* word : {"<script", "http:", "https:", "src="})
    EXPECT_THAT(response.body, Not(HasSubstr(word)));
}

TEST_F(ApiTest, TheDescriptionHasEveryEndpointWithItsParametersAndKnownSchemas) {
  Open();
  const http::Response response = Get("/openapi.json");
  const auto document = json::Document::Parse(response.body);
  ASSERT_TRUE(document.ok()) << document.error().message;
  const json::Value paths = *document->root().Find("paths");
  const json::Value schemas = *document->root().Find("components")->Find("schemas");
  for (const Endpoint& endpoint : EndpointTable()) {
    const auto path = paths.Find(endpoint.path);
    ASSERT_TRUE(path) << endpoint.path;
    const auto operation = path->Find(endpoint.method == "GET" ? "get" : "post");
    ASSERT_TRUE(operation) << endpoint.path;
    size_t parameters = 0;
    for (auto one = operation->Find("parameters")->First(); one; one = one->Next()) ++parameters;
    const bool has_id = endpoint.path.find("{id}") != std::string_view::npos;
    EXPECT_EQ(parameters, endpoint.parameters.size() + (has_id ? 1 : 0)) << endpoint.path;
    EXPECT_TRUE(endpoint.schema.empty() || schemas.Find(endpoint.schema)) << endpoint.schema;
  }
}

}  // namespace
}  // namespace tidegate::reader
