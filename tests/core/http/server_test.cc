#include "core/http/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/poll_loop.h"

namespace tidegate::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A client that writes what it is given and collects what comes back, a step at a time.
class Client {
 public:
  Client(uint16_t port, std::string request) : unsent_(std::move(request)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int connected = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    EXPECT_TRUE(connected == 0 || errno == EINPROGRESS) << std::strerror(errno);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // True once the server has closed the connection.
  bool Step() {
    const ssize_t sent = ::send(fd_, unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) unsent_.erase(0, static_cast<size_t>(sent));
    char buffer[4096];
    for (;;) {
      const ssize_t count = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (count <= 0) return count == 0 || errno != EAGAIN;
      received_.append(buffer, static_cast<size_t>(count));
    }
  }
  void Send(std::string_view text) { unsent_ += text; }
  // Sends without reading. Returns false.
  bool SendOnly() {
    const ssize_t sent = ::send(fd_, unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) unsent_.erase(0, static_cast<size_t>(sent));
    return false;
  }
  const std::string& received() const { return received_; }

 private:
  int fd_ = -1;
  std::string unsent_;
  std::string received_;
};

class HttpTest : public testing::Test {
 protected:
  void Serve(Server::Options options = {}) {
    auto server = Server::Start(options, loop_, log_, [this](const Request& request) {
      seen_ = std::string(request.method) + " " + std::string(request.path);
      query_ = request.query;
      authorization_ = request.authorization;
      body_ = request.body;
      ++requests_;
      return response_;
    });
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
  }

  // The whole answer to a request that asks for the connection to be closed.
  std::string Ask(std::string request) {
    Client client(server_->port(), std::move(request));
    EXPECT_TRUE(loop_.RunUntil([&] { return client.Step(); })) << client.received();
    return client.received();
  }
  std::string Get(const std::string& target, const std::string& headers = "") {
    return Ask("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers +
               "\r\n");
  }

  PollLoop loop_;
  Log log_{LogLevel::kError};
  Response response_{.status = 200, .content_type = "text/plain", .body = "hello"};
  std::string seen_;
  std::map<std::string, std::string> query_;
  std::string authorization_;
  std::string body_;
  int requests_ = 0;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpTest, AGetReachesTheHandlerWithPathQueryAndAuthorization) {
  Serve();
  const std::string answer = Get("/a%20b?x=1&y=%C3%A5&z&x=2", "Authorization: Bearer token\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nhello"));
  EXPECT_EQ(seen_, "GET /a b");
  EXPECT_THAT(query_,
              testing::UnorderedElementsAre(testing::Pair("x", "1"), testing::Pair("y", "\xC3\xA5"),
                                            testing::Pair("z", "")));
  EXPECT_EQ(authorization_, "Bearer token");
}

TEST_F(HttpTest, TheHandlersStatusAndHeadersAreSent) {
  Serve();
  response_ = {.status = 503, .body = "{}", .headers = {{"Retry-After", "5"}}};
  const std::string answer = Get("/");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 5\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
}

TEST_F(HttpTest, HeadIsAskedAsGetAndAnsweredWithoutBody) {
  Serve();
  const std::string answer = Ask("HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
  EXPECT_EQ(seen_, "GET /x");
}

TEST_F(HttpTest, OtherMethodsAreRefusedWithoutTheHandler) {
  Serve();
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "BREW"}) {
    const std::string answer =
        Ask(std::string(method) + " / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD, POST\r\n")) << method;
  }
  EXPECT_EQ(requests_, 0);
}

TEST_F(HttpTest, APostBringsItsBody) {
  Serve({.max_body_bytes = 50'000});
  const std::string body(50'000, 'b');
  const std::string answer = Ask(
      "POST /in HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 50000\r\n\r\n" + body);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(seen_, "POST /in");
  EXPECT_EQ(body_, body);
}

TEST_F(HttpTest, ABodyDeclaredTooLargeIsRefusedBeforeItIsRead) {
  Serve({.max_body_bytes = 10});
  for (const char* length : {"11", "99999999999", "18446744073709551614"}) {
    const std::string answer =
        Ask(std::string("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ") + length + "\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 ")) << length;
  }
  EXPECT_EQ(requests_, 0);
}

TEST_F(HttpTest, AChunkedBodyTooLargeIsRefused) {
  Serve({.max_body_bytes = 10});
  const std::string head =
      "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(Ask(head + "a\r\n0123456789\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(body_, "0123456789");
  EXPECT_THAT(Ask(head + "b\r\n0123456789a\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(requests_, 1);
}

TEST_F(HttpTest, AChunkedBodyWithoutEndIsCutOff) {
  Serve({.max_body_bytes = 1000});
  std::string request = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100; ++i) request += "100\r\n" + std::string(256, 'c') + "\r\n";
  EXPECT_THAT(Ask(request), Not(HasSubstr(" 200 ")));
  EXPECT_EQ(requests_, 0);
}

TEST_F(HttpTest, WhatIsNoHttpOrTooLongIsRefusedAndLeaksNothing) {
  Serve();
  EXPECT_THAT(Get("/a%00b"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Get("/", "X: " + std::string(40'000, 'x') + "\r\n"), StartsWith("HTTP/1.1 4"));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nno header\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  Ask("\x16\x03\x01 not http at all\r\n\r\n");
  EXPECT_EQ(requests_, 0);
  EXPECT_THAT(Get("/still"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTest, AConnectionIsKeptForSeveralRequests) {
  Serve();
  const std::string one = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string two = "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const std::string answer = Ask(one + two);
  EXPECT_EQ(requests_, 2);
  EXPECT_EQ(seen_, "GET /2");
}

TEST_F(HttpTest, AnIdleConnectionIsClosed) {
  Serve({.timeout_seconds = 1});
  EXPECT_EQ(Ask("GET / HT"), "");
}

TEST_F(HttpTest, ManyConnectionsAtOnceAreServed) {
  Serve();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>(
        server_->port(), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  }
  EXPECT_TRUE(loop_.RunUntil([&] {
    size_t closed = 0;
    for (auto& client : clients) closed += client->Step() ? 1 : 0;
    return closed == clients.size();
  }));
  EXPECT_EQ(requests_, 20);
}

TEST_F(HttpTest, StoppingWithARequestHalfReadIsClean) {
  Serve();
  Client client(server_->port(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
  client.Step();
  loop_.RunOnce(std::chrono::seconds(1));
  loop_.RunOnce();
  server_.reset();
  EXPECT_TRUE(loop_.RunUntil([&] { return client.Step(); }));
}

TEST_F(HttpTest, ATakenPortIsUnavailableAndNamed) {
  Serve();
  const auto second = Server::Start({.port = server_->port()}, loop_, log_,
                                    [](const Request&) { return Response{}; });
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("127.0.0.1:" + std::to_string(server_->port())));
}

TEST_F(HttpTest, ANameIsNoAddress) {
  const auto server = Server::Start({.address = "example.org"}, loop_, log_,
                                    [](const Request&) { return Response{}; });
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, ErrorCode::kInvalid);
}

TEST_F(HttpTest, AllInterfacesIncludeIPv4) {
  Serve({.address = "::"});
  EXPECT_THAT(Get("/"), StartsWith("HTTP/1.1 200 "));
}

TEST(ParseListen, ReadsHostsAndPorts) {
  const auto expect = [](std::string_view text, std::string_view address, uint16_t port) {
    const auto options = ParseListen(text);
    ASSERT_TRUE(options.ok()) << options.error().message;
    EXPECT_EQ(options->address, address) << text;
    EXPECT_EQ(options->port, port) << text;
  };
  expect("127.0.0.1:9464", "127.0.0.1", 9464);
  expect("localhost:80", "127.0.0.1", 80);
  expect("[::1]:65535", "::1", 65535);
  expect(":0", "::", 0);
}

TEST(ParseListen, RefusesWhatItCannotListenOn) {
  for (const char* text :
       {"", ":", "9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:80x", "127.0.0.1: 80", "::1:80", "[127.0.0.1]:80", "[]:80", "[::1:80",
        "example.org:80", "256.0.0.1:80"}) {
    const auto options = ParseListen(text);
    ASSERT_FALSE(options.ok()) << text;
    EXPECT_EQ(options.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(options.error().message, HasSubstr("expected host:port")) << text;
  }
  EXPECT_FALSE(ParseListen(std::string_view("127.0.0.1\0x:80", 14)).ok());
}

class DeferredHttpTest : public HttpTest {
 protected:
  void SetUp() override {
    auto server =
        Server::StartDeferred({}, loop_, log_, [this](const Request& request, Reply reply) {
          seen_ = request.peer;
          replies_.push_back(std::move(reply));
        });
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
  }
  std::unique_ptr<Client> Connect() {
    return std::make_unique<Client>(server_->port(),
                                    "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }
  // Until that many requests wait for their answers.
  bool Await(size_t requests, std::initializer_list<Client*> clients) {
    return loop_.RunUntil([&] {
      for (Client* client : clients) client->Step();
      return replies_.size() == requests;
    });
  }
  std::string Finish(Client& client) {
    EXPECT_TRUE(loop_.RunUntil([&] { return client.Step(); })) << client.received();
    return client.received();
  }

  std::vector<Reply> replies_;
};

TEST_F(DeferredHttpTest, AnAnswerMayComeInALaterTurnAndOutOfOrder) {
  const auto first = Connect();
  ASSERT_TRUE(Await(1, {first.get()}));
  const auto second = Connect();
  ASSERT_TRUE(Await(2, {first.get(), second.get()}));
  replies_[1]({.body = "second"});
  EXPECT_THAT(Finish(*second), EndsWith("\r\n\r\nsecond"));
  EXPECT_EQ(first->received(), "");
  replies_[0]({.body = "first"});
  EXPECT_THAT(Finish(*first), EndsWith("\r\n\r\nfirst"));
}

TEST_F(DeferredHttpTest, ASecondAnswerGoesNowhere) {
  const auto client = Connect();
  ASSERT_TRUE(Await(1, {client.get()}));
  replies_[0]({.body = "first"});
  replies_[0]({.body = "again"});
  EXPECT_THAT(Finish(*client), EndsWith("\r\n\r\nfirst"));
  replies_[0]({.body = "again"});
}

TEST_F(DeferredHttpTest, AnAnswerForAClientThatLeftIsHarmless) {
  auto client = Connect();
  ASSERT_TRUE(Await(1, {client.get()}));
  client.reset();
  replies_[0]({.body = "late"});
  const auto next = Connect();
  ASSERT_TRUE(Await(2, {next.get()}));
  replies_[1]({.body = "next"});
  EXPECT_THAT(Finish(*next), EndsWith("next"));
}

TEST_F(DeferredHttpTest, AServerThatGoesLeavesNoReplyDangling) {
  const auto client = Connect();
  ASSERT_TRUE(Await(1, {client.get()}));
  server_.reset();
  replies_[0]({.body = "late"});
  client->Step();
  EXPECT_THAT(client->received(), Not(HasSubstr("late")));
}

TEST_F(DeferredHttpTest, TheHandlerLearnsWhoAsks) {
  const auto client = Connect();
  ASSERT_TRUE(Await(1, {client.get()}));
  EXPECT_EQ(seen_, "127.0.0.1");
  replies_[0]({});
  Finish(*client);
}

TEST_F(HttpTest, ALongUriIs414AndManyHeadersAre431) {
  Serve({.max_uri_bytes = 100, .max_headers = 5});
  EXPECT_THAT(Get("/" + std::string(100, 'a')), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(Get("/" + std::string(99, 'a')), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/", "A: 1\r\nB: 1\r\nC: 1\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/", "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n"), StartsWith("HTTP/1.1 431 "));
  EXPECT_EQ(requests_, 2);
}

TEST_F(HttpTest, SlowClientsLeaveRoomForTheNextOne) {
  Serve({.max_connections = 4});
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<Client>(server_->port(), "GET / HT"));
    slow.back()->Step();
    loop_.RunOnce(std::chrono::seconds(1));
  }
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
  size_t closed = 0;
  for (const auto& client : slow) closed += client->Step() ? 1 : 0;
  EXPECT_GE(closed, 16u);
}

TEST_F(HttpTest, ABurstOfSlowClientsLeavesRoomAtOnce) {
  Serve({.max_connections = 4, .timeout_seconds = 60, .receive_within = std::chrono::seconds(60)});
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 60; ++i) {
    slow.push_back(std::make_unique<Client>(server_->port(), "GET / HT"));
    slow.back()->Step();
  }
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTest, ARequestThatTricklesIsEndedAlthoughItIsNeverIdle) {
  Serve({.timeout_seconds = 60, .receive_within = std::chrono::milliseconds(200)});
  Client client(server_->port(), "GET /?");
  EXPECT_TRUE(loop_.RunUntil([&] {
    client.Send("x");
    return client.Step();
  }));
  EXPECT_EQ(client.received(), "");
  EXPECT_EQ(requests_, 0);
}

TEST_F(HttpTest, AnAnswerThatNobodyReadsIsEnded) {
  response_.body = std::string(64 * 1024 * 1024, 'x');
  Serve({.timeout_seconds = 60, .send_within = std::chrono::milliseconds(200)});
  Client client(server_->port(), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  // The client reads only when the time is over: it finds what was on its way.
  loop_.RunUntil([&] { return client.SendOnly(); }, std::chrono::milliseconds(600));
  EXPECT_TRUE(loop_.RunUntil([&] { return client.Step(); }));
  EXPECT_LT(client.received().size(), response_.body.size());
}

}  // namespace
}  // namespace tidegate::http
