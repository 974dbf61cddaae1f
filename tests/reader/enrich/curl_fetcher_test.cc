// The fetcher against a real server of the tests that is slow, failing, redirecting or huge.
#include "reader/enrich/curl_fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "tests/support/raw_http_server.h"

namespace tidegate::reader {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CurlFetcherTest : public testing::Test {
 protected:
  static std::optional<std::string> Say(std::string_view path) {
    if (path == "/silent") return std::nullopt;
    if (path == "/missing") return RawHttpServer::Reply("404 Not Found", "no");
    if (path == "/broken") return RawHttpServer::Reply("500 Oops", "{}");
    if (path == "/moved") return RawHttpServer::Reply("302 Found", "{}", "Location: /good\r\n");
    if (path == "/huge") return RawHttpServer::Reply("200 OK", std::string(200'000, ' ') + "{}");
    if (path == "/endless") return "HTTP/1.1 200 OK\r\n\r\n" + std::string(200'000, '[');
    if (path == "/garbage") return "\x16\x03\x01 what\r\n\r\n";
    if (path == "/short") return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}";
    return RawHttpServer::Reply("200 OK", R"({"model":"x"})");
  }

  FetchRequest Request(std::string_view path) {
    return {.id = ++id_, .url = server_.Url(path), .timeout = 20s, .allow_private = true};
  }

  // All results, by id.
  std::map<uint64_t, SourceAnswer> Results(size_t count) {
    std::map<uint64_t, SourceAnswer> results;
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (results.size() < count && std::chrono::steady_clock::now() < deadline) {
      for (FetchResult& result : fetcher_->Wait(100ms))
        EXPECT_TRUE(results.emplace(result.id, std::move(result.answer)).second);
    }
    EXPECT_EQ(results.size(), count);
    return results;
  }

  SourceAnswer Fetch(FetchRequest request) {
    const uint64_t id = request.id;
    fetcher_->Start(std::move(request));
    return Results(1)[id];
  }

  RawHttpServer server_{Say};
  uint64_t id_ = 0;
  std::unique_ptr<Fetcher> fetcher_ = MakeCurlFetcher().value();
};

TEST_F(CurlFetcherTest, AGoodReplyIsAValue) {
  const SourceAnswer answer = Fetch(Request("/good"));
  ASSERT_EQ(answer.kind, AnswerKind::kValue) << answer.reason;
  EXPECT_EQ(answer.value->root().Find("model")->as_string(), "x");
}

TEST_F(CurlFetcherTest, NotFoundIsNothing) {
  EXPECT_EQ(Fetch(Request("/missing")).kind, AnswerKind::kNone);
}

TEST_F(CurlFetcherTest, WhateverElseComesIsAFailureThatSaysWhy) {
  for (const char* path : {"/broken", "/huge", "/endless", "/garbage", "/short"}) {
    const SourceAnswer answer = Fetch(Request(path));
    EXPECT_EQ(answer.kind, AnswerKind::kFailed) << path;
    EXPECT_THAT(answer.reason, Not(IsEmpty())) << path;
  }
}

TEST_F(CurlFetcherTest, ARedirectIsNotFollowed) {
  const SourceAnswer answer = Fetch(Request("/moved"));
  EXPECT_EQ(answer.kind, AnswerKind::kFailed);
  EXPECT_THAT(answer.reason, HasSubstr("redirect"));
  EXPECT_THAT(server_.paths(), Not(Contains("/good")));
}

TEST_F(CurlFetcherTest, ASilentServerIsGivenUpAndHoldsNobodyElse) {
  FetchRequest silent = Request("/silent");
  silent.timeout = 1s;
  const uint64_t silent_id = silent.id;
  fetcher_->Start(std::move(silent));
  EXPECT_EQ(Fetch(Request("/good")).kind, AnswerKind::kValue);
  EXPECT_EQ(Results(1)[silent_id].kind, AnswerKind::kFailed);
}

TEST_F(CurlFetcherTest, ManyRequestsEachHaveOneResult) {
  for (int i = 0; i < 100; ++i) fetcher_->Start(Request(i % 2 ? "/good" : "/missing"));
  Results(100);
}

TEST_F(CurlFetcherTest, APrivateAddressIsNotAskedUnlessAllowed) {
  for (const std::string host : {"127.0.0.1", "localhost", "2130706433"}) {
    FetchRequest request = Request("/good");
    request.url.replace(request.url.find("127.0.0.1"), 9, host);
    request.allow_private = false;
    const SourceAnswer answer = Fetch(std::move(request));
    EXPECT_EQ(answer.kind, AnswerKind::kFailed) << host;
    EXPECT_THAT(answer.reason, HasSubstr("private")) << host;
  }
  EXPECT_THAT(server_.paths(), IsEmpty());
}

TEST_F(CurlFetcherTest, AnOpenConnectionIsNoWayAroundTheCheck) {
  // After the first request the connection stays open, if the server allows it.
  EXPECT_EQ(Fetch(Request("/good")).kind, AnswerKind::kValue);
  FetchRequest request = Request("/good");
  request.allow_private = false;
  EXPECT_EQ(Fetch(std::move(request)).kind, AnswerKind::kFailed);
}

TEST_F(CurlFetcherTest, OtherProtocolsAreRefused) {
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"}) {
    FetchRequest request = Request("/good");
    request.url = url;
    EXPECT_EQ(Fetch(std::move(request)).kind, AnswerKind::kFailed) << url;
  }
}

TEST_F(CurlFetcherTest, HttpsToAServerWithoutACertificateFails) {
  FetchRequest request = Request("/good");
  request.url.replace(0, 4, "https");
  EXPECT_EQ(Fetch(std::move(request)).kind, AnswerKind::kFailed);
}

TEST_F(CurlFetcherTest, WakingEndsAWait) {
  fetcher_->Wake();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(fetcher_->Wait(60s), IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
}

}  // namespace
}  // namespace tidegate::reader
