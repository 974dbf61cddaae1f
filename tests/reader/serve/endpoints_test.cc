#include "reader/serve/endpoints.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace tidegate::reader {
namespace {

class EndpointsTest : public testing::Test {
 protected:
  EndpointsTest() { Post(Good()); }

  MemberState Good() {
    MemberState state;
    state.database_up = true;
    state.kafka_up = true;
    state.name = "worker 0";
    state.last_turn = clock_.SinceBoot();
    return state;
  }
  void Post(MemberState state) { board_.Post(0, std::move(state)); }
  http::Response Get(std::string_view path) {
    if (path == "/healthz") return endpoints_.Healthz(true);
    if (path == "/stats") return endpoints_.Stats(true, {});
    return path == "/metrics" ? endpoints_.MetricsText() : endpoints_.Readyz(true);
  }

  FakeClock clock_;
  Metrics metrics_;
  StatusBoard board_{1};
  Endpoints endpoints_{{"1.2.3", "mongodb://u:***@h"}, board_, metrics_, clock_};
};

TEST_F(EndpointsTest, AWorkerThatLandsIsHealthyAndReady) {
  for (const char* path : {"/healthz", "/readyz", "/health"}) {
    EXPECT_EQ(Get(path).status, 200) << path;
    EXPECT_EQ(Get(path).body, "{\"status\":\"ok\",\"kafka\":\"up\",\"database\":\"up\"}\n");
  }
}

TEST_F(EndpointsTest, AnOutageIsNotReadyButHealthy) {
  MemberState state = Good();
  state.trouble = "insert: connection \"refused\"";
  Post(state);
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_NE(Get("/readyz").body.find(R"(connection \"refused\")"), std::string::npos);
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(EndpointsTest, ParkedLanesAreListedAndItIsReady) {
  MemberState state = Good();
  state.parked = {"fleet_acme: it is down"};
  Post(state);
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_NE(Get("/readyz").body.find(R"("parked":["fleet_acme: it is down"])"), std::string::npos);
}

TEST_F(EndpointsTest, AnUpkeepThatWorksLongIsNotStuck) {
  MemberState state = Good();
  state.role = MemberRole::kUpkeep;
  Post(state);
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(EndpointsTest, WithoutDatabaseOrBrokerItIsNotReady) {
  MemberState state = Good();
  state.database_up = false;
  Post(state);
  EXPECT_EQ(Get("/readyz").status, 503);
  state = Good();
  state.kafka_up = false;
  Post(state);
  EXPECT_EQ(Get("/health").status, 503);
  EXPECT_NE(Get("/health").body.find(R"("kafka":"down","database":"up")"), std::string::npos);
}

TEST_F(EndpointsTest, AWorkerThatIsStuckOrHasGivenUpIsUnhealthy) {
  clock_.Advance(kStuckAfter + std::chrono::seconds(1));
  EXPECT_EQ(Get("/healthz").status, 503);
  MemberState state = Good();
  state.failed = true;
  Post(state);
  EXPECT_EQ(Get("/healthz").status, 503);
}

TEST_F(EndpointsTest, StatsTellEachWorker) {
  MemberState state = Good();
  state.landed = 7;
  state.partitions = {{{"t", 2}, 9}};
  Post(state);
  clock_.Advance(std::chrono::seconds(5));
  EXPECT_EQ(
      Get("/stats").body,
      R"({"version":"1.2.3","uptime_seconds":5,"landing":"mongodb://u:***@h","landed":7,"duplicates":0,"dead_letters":0,)"
      R"("workers":[{"kafka_up":true,"database_up":true,"trouble":"","in_hand":0,"landed":7,"duplicates":0,)"
      R"("dead_letters":0,"partitions":[{"topic":"t","partition":2,"lag":9}]}],"projected":0,"projectors":[]})"
      "\n");
}

TEST_F(EndpointsTest, MetricsAreText) {
  metrics_.AddCounter("a_total", "A.").Increment();
  const auto response = Get("/metrics");
  EXPECT_EQ(response.content_type.substr(0, 10), "text/plain");
  EXPECT_NE(response.body.find("a_total 1"), std::string::npos);
}

TEST_F(EndpointsTest, StrangersLearnNoReasonsAndNoTopics) {
  MemberState state = Good();
  state.trouble = "create index on fleet_acme.heartbeats";
  state.partitions = {{{"telemetry.acme", 0}, 1}};
  Post(state);
  EXPECT_EQ(endpoints_.Readyz(false).status, 503);
  EXPECT_EQ(endpoints_.Readyz(false).body.find("acme"), std::string::npos);
  EXPECT_EQ(endpoints_.Stats(false, R"({"devices":3})").body,
            "{\"version\":\"1.2.3\",\"uptime_seconds\":0,\"counts\":{\"devices\":3}}\n");
}

TEST_F(EndpointsTest, QueriesThatGetNoAnswerAreNotReady) {
  endpoints_.SetQueriesUp(false);
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_NE(Get("/health").body.find(R"("kafka":"up","database":"down")"), std::string::npos);
  EXPECT_EQ(Get("/healthz").status, 200);
}

}  // namespace
}  // namespace tidegate::reader
