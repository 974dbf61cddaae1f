// The HTTP side of tidegate-sim against a small server on loopback.
#include "drivers/sim/http_publisher.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/json/json.h"
#include "drivers/sim/publish_run.h"

namespace tidegate {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Answers each request with the next status it was told, then with 202; one connection at a time,
// closed after each answer.
class SmallServer {
 public:
  explicit SmallServer(std::vector<int> statuses) : statuses_(std::move(statuses)) {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 64), 0);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~SmallServer() {
    shutdown(socket_, SHUT_RDWR);
    thread_.join();
    close(socket_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/ingest"; }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Serve() {
    for (int client; (client = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      const std::string request = ReadRequest(client);
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      const int status = statuses_.empty() ? 202 : statuses_.front();
      if (!statuses_.empty()) statuses_.erase(statuses_.begin());
      // 0 stands for a connection that breaks.
      const std::string answer = "HTTP/1.1 " + std::to_string(status) +
                                 " X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
      if (status != 0) {
        EXPECT_GT(write(client, answer.data(), answer.size()), 0);
      }
      close(client);
    }
  }
  static std::string ReadRequest(int client) {
    std::string request;
    char buffer[4096];
    while (!Whole(request)) {
      const ssize_t count = read(client, buffer, sizeof(buffer));
      if (count <= 0) break;
      request.append(buffer, static_cast<size_t>(count));
    }
    return request;
  }
  static bool Whole(const std::string& request) {
    const size_t end = request.find("\r\n\r\n");
    const size_t length = request.find("Content-Length: ");
    if (end == std::string::npos || length == std::string::npos) return false;
    return request.size() >= end + 4 + std::stoul(request.substr(length + 16));
  }

  std::mutex mutex_;
  std::vector<int> statuses_;
  std::vector<std::string> requests_;
  int socket_ = -1;
  int port_ = 0;
  std::thread thread_;
};

HttpPublisherOptions To(const SmallServer& server, size_t requests = 16, size_t batch = 1) {
  HttpPublisherOptions options;
  options.url = server.url();
  options.requests = requests;
  options.batch = batch;
  return options;
}

RunResult Post(const HttpPublisherOptions& options, uint64_t count) {
  const SystemClock clock;
  auto publisher = HttpPublisher::Make(options, clock);
  EXPECT_TRUE(publisher.ok());
  Fleet fleet({.assets = 5});
  RunOptions run;
  run.rate = 0;
  run.count = count;
  run.give_up_after = std::chrono::seconds(30);
  return PublishRun(run, fleet, **publisher, clock, [] { return false; }, {}).Run();
}

std::string Body(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

TEST(HttpPublisherTest, PostsOneHeartbeatARequest) {
  SmallServer server({});
  const RunResult result = Post(To(server), 40);
  EXPECT_TRUE(result.complete) << result.problem;
  EXPECT_EQ(result.acknowledged, 40u);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 40u);
  EXPECT_THAT(requests[0], StartsWith("POST /ingest HTTP/1.1\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_TRUE(json::Document::Parse(Body(requests[0]))->root().is_object());
}

TEST(HttpPublisherTest, PostsArraysAndARestThatIsSmaller) {
  SmallServer server({});
  const RunResult result = Post(To(server, 1, 10), 25);
  EXPECT_TRUE(result.complete) << result.problem;
  EXPECT_EQ(result.acknowledged, 25u);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3u);
  size_t elements = 0;
  const auto last = json::Document::Parse(Body(requests[2]));
  for (auto value = last->root().First(); value; value = value->Next()) ++elements;
  EXPECT_EQ(elements, 5u);
}

TEST(HttpPublisherTest, TriesAgainWhatMayPass) {
  SmallServer server({503, 429, 0, 408, 500});
  const RunResult result = Post(To(server, 2), 10);
  EXPECT_TRUE(result.complete) << result.problem;
  EXPECT_EQ(result.acknowledged, 10u);
  EXPECT_EQ(server.requests().size(), 15u);
}

TEST(HttpPublisherTest, CountsWhatIsRefused) {
  SmallServer server({202, 400, 413});
  const RunResult result = Post(To(server, 1), 5);
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.acknowledged, 3u);
  EXPECT_EQ(result.refused, 2u);
}

TEST(HttpPublisherTest, SendsUserAndPasswordOnlyWhenGiven) {
  SmallServer server({});
  HttpPublisherOptions options = To(server);
  options.username = "u";
  options.password = "p";
  Post(options, 1);
  Post(To(server), 1);
  EXPECT_THAT(server.requests()[0], HasSubstr("Authorization: Basic dTpw\r\n"));
  EXPECT_THAT(server.requests()[1], testing::Not(HasSubstr("Authorization")));
}

}  // namespace
}  // namespace tidegate
