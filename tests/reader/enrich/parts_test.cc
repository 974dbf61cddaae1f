// The pure parts of the enrichment: settings, addresses, answers, cache, circuit breaker.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "core/circuit_breaker.h"
#include "reader/enrich/address.h"
#include "reader/enrich/answer_cache.h"
#include "reader/enrich/enrich_header.h"
#include "reader/enrich/enrich_source.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string ProblemOf(std::string_view text) {
  const auto source = ParseEnrichSource("device", text);
  return source.ok() ? "" : source.error().message;
}

TEST(EnrichSource, ReadsAllThatItIsTold) {
  const auto source = ParseEnrichSource(
      "device",
      "https://api.example.com/devices/{device_id}?full=1 key=device_id ttl=10m timeout=2s "
      "into=device stream=telemetry allow_private=yes ca=/etc/ssl/own.pem");
  ASSERT_TRUE(source.ok()) << source.error().message;
  EXPECT_EQ(source->key, "device_id");
  EXPECT_EQ(source->into, "device");
  EXPECT_EQ(source->stream, "telemetry");
  EXPECT_EQ(source->ttl, 10min);
  EXPECT_EQ(source->timeout, 2s);
  EXPECT_TRUE(source->allow_private);
  EXPECT_EQ(source->ca_file, "/etc/ssl/own.pem");
  EXPECT_EQ(source->url.Expand({.value = "t-1"}), "https://api.example.com/devices/t-1?full=1");
}

TEST(EnrichSource, PrivateTargetsAreNotAllowedUnlessAsked) {
  EXPECT_FALSE(ParseEnrichSource("d", "https://h/{asset_id} into=device")->allow_private);
}

TEST(EnrichSource, RefusesWhatCannotWork) {
  EXPECT_THAT(ProblemOf("into=device"), HasSubstr("https://"));
  EXPECT_THAT(ProblemOf("ftp://h/{a} into=x"), HasSubstr("https://"));
  EXPECT_THAT(ProblemOf("https:///{a} into=x"), HasSubstr("host"));
  EXPECT_THAT(ProblemOf("https://{a}/x into=x"), HasSubstr("host"));
  EXPECT_THAT(ProblemOf("https://me:secret@h/{a} into=x"), HasSubstr("user"));
  EXPECT_THAT(ProblemOf("https://h/a into=x"), HasSubstr("no {field}"));
  EXPECT_THAT(ProblemOf("https://h/{a}/{b} into=x"), HasSubstr("two different"));
  EXPECT_THAT(ProblemOf("https://h/{a into=x"), HasSubstr("braces"));
  EXPECT_THAT(ProblemOf("https://h/{a} key=b into=x"), HasSubstr("key"));
  EXPECT_THAT(ProblemOf("https://h/{a}"), HasSubstr("into"));
  EXPECT_THAT(ProblemOf("https://h/{a} into=_id"), HasSubstr("own name"));
  EXPECT_THAT(ProblemOf("https://h/{a} into=x.y"), HasSubstr("characters"));
  EXPECT_THAT(ProblemOf("https://h/{a} into=x ttl=never"), HasSubstr("ttl"));
  EXPECT_THAT(ProblemOf("https://h/{a} into=x allow_private=1"), HasSubstr("yes nor no"));
  EXPECT_THAT(ProblemOf("https://h/{a} into=x ca=own.pem"), HasSubstr("absolute"));
  EXPECT_THAT(ProblemOf("http://h/{a} into=x ca=/own.pem"), HasSubstr("https:// alone"));
  EXPECT_THAT(ProblemOf("https://h/{a} into=x retries=3"), HasSubstr("none of"));
}

TEST(UrlTemplate, AValueCannotLeaveItsPlace) {
  const auto url = UrlTemplate::Parse("https://h/d/{a}?x={a}");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->Expand({.value = "../admin?b=1&c#d e"}),
            "https://h/d/..%2Fadmin%3Fb%3D1%26c%23d%20e?x=..%2Fadmin%3Fb%3D1%26c%23d%20e");
  EXPECT_EQ(url->Expand({.value = ".."}), "https://h/d/%2E%2E?x=%2E%2E");
  EXPECT_EQ(url->Expand({.value = "{a}"}), "https://h/d/%7Ba%7D?x=%7Ba%7D");
}

TEST(EnrichSource, ADocumentThatCarriesTheMemberIsLeftAlone) {
  const auto source = ParseEnrichSource("d", "https://h/{device_id} into=device");
  EXPECT_EQ(KeyOf(*source, MakeDocument("a", R"({"device_id":"t-1"})"))->value, "t-1");
  EXPECT_EQ(KeyOf(*source, MakeDocument("a", R"({"device_id":17})"))->value, "17");
  EXPECT_EQ(KeyOf(*source, MakeDocument("a", R"({"device_id":"t-1","device":null})")),
            std::nullopt);
  EXPECT_EQ(KeyOf(*source, MakeDocument("a", R"({"other":"t-1"})")), std::nullopt);
  EXPECT_EQ(KeyOf(*source, MakeDocument("a", R"({"device_id":{}})")), std::nullopt);
}

TEST(EnrichSource, TheUrlAndTheKeyNameTheTenant) {
  const auto source = ParseEnrichSource("d", "https://h/{tenant_id}/{device_id} into=device");
  ASSERT_TRUE(source.ok()) << source.error().message;
  EXPECT_EQ(source->key, "device_id");
  const auto acme = KeyOf(*source, "acme", "t/1");
  const auto globex = KeyOf(*source, "globex", "t/1");
  ASSERT_TRUE(acme && globex);
  EXPECT_NE(acme->Text(), globex->Text());
  EXPECT_EQ(source->url.Expand(*acme), "https://h/acme/t%2F1");
  EXPECT_EQ(source->url.Expand({"{device_id}", "{tenant_id}"}),
            "https://h/%7Bdevice_id%7D/%7Btenant_id%7D");
  EXPECT_EQ(KeyOf(*source, "", "t-1"), std::nullopt);
  EXPECT_EQ(KeyOf(*source, "acme/../globex", "t-1"), std::nullopt);
}

TEST(EnrichSource, ASourceOfOneTenantIsAskedAboutNoOther) {
  const auto source = ParseEnrichSource("d", "https://h/{device_id} into=device tenant=acme");
  EXPECT_TRUE(KeyOf(*source, "acme", "t-1"));
  EXPECT_FALSE(KeyOf(*source, "globex", "t-1"));
  EXPECT_FALSE(KeyOf(*source, "", "t-1"));
  const auto shared = ParseEnrichSource("d", "https://h/{device_id} into=device tenant=*");
  EXPECT_EQ(KeyOf(*shared, "acme", "t-1"), KeyOf(*shared, "globex", "t-1"));
  EXPECT_THAT(ProblemOf("https://h/{a} into=x tenant=a/b"), HasSubstr("name of a tenant"));
}

TEST(EnrichHeader, ReadsOneALineAndNeverQuotesIt) {
  EXPECT_EQ(ParseEnrichHeaders("Authorization: Bearer abc\r\n\nX-Key: 1\n").value(),
            (std::vector<std::string>{"Authorization: Bearer abc", "X-Key: 1"}));
  for (const char* text : {"", "S3cret", ": S3cret", "Host: S3cret", "X Y: S3cret", "X:  ",
                           "content-length: S3cret", "X: S3cret\x01", "X: S3cret\xC3\xA5"}) {
    const auto headers = ParseEnrichHeaders(text);
    ASSERT_FALSE(headers.ok()) << text;
    EXPECT_EQ(headers.error().message.find("S3cret"), std::string::npos);
  }
  std::string many;
  for (size_t i = 0; i <= kMaxEnrichHeaders; ++i) many += "X: 1\n";
  EXPECT_FALSE(ParseEnrichHeaders(many).ok());
}

bool IsPublic(const char* text) {
  std::array<uint8_t, 16> bytes{};
  const bool v6 = std::string_view(text).find(':') != std::string_view::npos;
  EXPECT_EQ(inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes.data()), 1) << text;
  return IsPublicAddress(std::span(bytes).first(v6 ? 16 : 4));
}

TEST(Address, PrivateRangesAreNotPublic) {
  for (const char* address :
       {"127.0.0.1",     "10.1.2.3",          "172.16.0.1",      "172.31.255.255",
        "192.168.1.1",   "169.254.169.254",   "100.64.0.1",      "0.0.0.0",
        "224.0.0.1",     "255.255.255.255",   "198.19.0.1",      "::",
        "::1",           "fe80::1",           "fc00::1",         "fd12::1",
        "ff02::1",       "::ffff:127.0.0.1",  "::ffff:10.0.0.1", "64:ff9b::a00:1",
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:db8::1",     "::7f00:1"}) {
    EXPECT_FALSE(IsPublic(address)) << address;
  }
  for (const char* address : {"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.169.0.1",
                              "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"}) {
    EXPECT_TRUE(IsPublic(address)) << address;
  }
}

TEST(Answer, NothingIsDifferentFromFailure) {
  EXPECT_EQ(ReadAnswer(200, R"({"model":"x"})").kind, AnswerKind::kValue);
  for (const auto& [status, body] :
       {std::pair{200L, "null"}, {204L, ""}, {404L, "no such device"}, {410L, ""}})
    EXPECT_EQ(ReadAnswer(status, body).kind, AnswerKind::kNone) << status;
  for (const auto& [status, body] : {std::pair{200L, ""},
                                     {200L, "<html>"},
                                     {200L, "{\"a\":1"},
                                     {500L, "{}"},
                                     {302L, "{}"},
                                     {401L, "{}"},
                                     {206L, "{}"}})
    EXPECT_EQ(ReadAnswer(status, body).kind, AnswerKind::kFailed) << status;
}

TEST(Answer, DepthAndSizeAreBounded) {
  EXPECT_EQ(ReadAnswer(200, std::string(9, '[') + std::string(9, ']')).kind, AnswerKind::kFailed);
  EXPECT_EQ(ReadAnswer(200, "\"" + std::string(kMaxReplyBytes, 'a') + "\"").kind,
            AnswerKind::kFailed);
}

TEST(AnswerCache, TheLeastRecentlyUsedGoesFirst) {
  AnswerCache cache({.max_entries = 2});
  cache.Put("a", ReadAnswer(200, "1"), 10s);
  cache.Put("b", ReadAnswer(200, "2"), 10s);
  EXPECT_NE(cache.Find("a", 0s), nullptr);
  cache.Put("c", ReadAnswer(404, ""), 10s);
  EXPECT_EQ(cache.Find("b", 0s), nullptr);
  EXPECT_NE(cache.Find("a", 0s), nullptr);
  EXPECT_EQ(cache.Find("c", 0s)->kind, AnswerKind::kNone);
}

TEST(AnswerCache, AnAnswerIsForgottenWhenItIsOld) {
  AnswerCache cache({});
  cache.Put("a", ReadAnswer(200, "1"), 10s);
  EXPECT_NE(cache.Find("a", 10s - 1ns), nullptr);
  EXPECT_EQ(cache.Find("a", 10s), nullptr);
  EXPECT_EQ(cache.entries(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(AnswerCache, BytesAreBounded) {
  AnswerCache cache({.max_entries = 1'000, .max_bytes = 2'000});
  for (int i = 0; i < 100; ++i) {
    cache.Put(std::to_string(i), ReadAnswer(200, "\"" + std::string(300, 'a') + "\""), 10s);
    EXPECT_LE(cache.bytes(), 2'000u);
  }
  EXPECT_NE(cache.Find("99", 0s), nullptr);
  cache.Put("large", ReadAnswer(200, "\"" + std::string(5'000, 'a') + "\""), 10s);
  EXPECT_EQ(cache.Find("large", 0s), nullptr);
  EXPECT_EQ(cache.entries(), 0u);
}

TEST(AnswerCache, ANewAnswerTakesTheOldOnesPlace) {
  AnswerCache cache({});
  cache.Put("a", ReadAnswer(404, ""), 10s);
  cache.Put("a", ReadAnswer(200, "1"), 20s);
  EXPECT_EQ(cache.entries(), 1u);
  EXPECT_EQ(cache.Find("a", 15s)->kind, AnswerKind::kValue);
}

TEST(CircuitBreaker, OpensAfterFailuresInARowAndTriesOneAtATime) {
  CircuitBreaker breaker({.failures = 3, .pause = {.initial = 2s, .max = 60s}}, 1);
  for (int i = 0; i < 2; ++i) breaker.OnFailure(0s);
  breaker.OnSuccess();
  for (int i = 0; i < 2; ++i) breaker.OnFailure(0s);
  EXPECT_TRUE(breaker.Allows(0s));
  breaker.OnFailure(0s);
  EXPECT_FALSE(breaker.Allows(0s));
  ASSERT_TRUE(breaker.Allows(2s));
  breaker.OnRequest();
  EXPECT_FALSE(breaker.Allows(2s));
  breaker.OnFailure(2s);
  EXPECT_FALSE(breaker.Allows(3s));
  ASSERT_TRUE(breaker.Allows(6s));
  breaker.OnRequest();
  breaker.OnSuccess();
  EXPECT_TRUE(breaker.Allows(6s));
  EXPECT_FALSE(breaker.open());
}

TEST(AnswerCacheDeathTest, AFailureIsNeverCached) {
  AnswerCache cache({});
  EXPECT_DEATH(cache.Put("a", ReadAnswer(503, ""), 10s), "a failure is not cached");
}

}  // namespace
}  // namespace tidegate::reader
