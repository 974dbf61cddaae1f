#include "core/json/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace tidegate::json {
namespace {

using testing::HasSubstr;

std::string Canonical(std::string_view text) {
  const auto document = Document::Parse(text);
  if (!document.ok()) return document.error().message;
  std::string out;
  Writer(out).Copy(document->root());
  return out;
}

std::string Refusal(std::string_view text, const Limits& limits = {}) {
  const auto document = Document::Parse(text, limits);
  if (document.ok()) return "accepted";
  EXPECT_EQ(document.error().code, ErrorCode::kRejected);
  return document.error().message;
}

TEST(JsonDocument, GivesTypesMembersAndElementsInOrder) {
  const auto document = Document::Parse(
      R"( {"s":"x","n":-1.50e2,"t":true,"f":false,"z":null,"a":[1,[],{}],"o":{}} )");
  ASSERT_TRUE(document.ok()) << document.error().message;
  const Value root = document->root();
  std::string keys;
  for (auto member = root.First(); member; member = member->Next()) keys += member->key();
  EXPECT_EQ(keys, "sntfzao");
  EXPECT_EQ(root.Find("s")->as_string(), "x");
  EXPECT_EQ(root.Find("n")->as_number(), -150);
  EXPECT_EQ(root.Find("n")->number_text(), "-1.50e2");
  EXPECT_TRUE(root.Find("t")->as_bool());
  EXPECT_FALSE(root.Find("f")->as_bool());
  EXPECT_EQ(root.Find("z")->type(), Type::kNull);
  EXPECT_TRUE(root.Find("a")->is_array());
  EXPECT_EQ(root.Find("a")->First()->key(), "");
  EXPECT_FALSE(root.Find("o")->First());
  EXPECT_FALSE(root.Find("S"));
  EXPECT_FALSE(root.Find("missing"));
  EXPECT_FALSE(root.Find("s")->Find("x"));
}

TEST(JsonDocument, AcceptsAnySingleValue) {
  for (const char* text : {"0", "-0", "1e5", "1E+5", "1e-5", "\"\"", "true", "false", "null", "[]",
                           "{}", " \t\r\n[ 1 , 2 ] \n", "0.0", "10.5e00"}) {
    EXPECT_EQ(Refusal(text), "accepted") << text;
  }
}

TEST(JsonDocument, KeepsEveryDigitOfANumber) {
  const std::string pi = "3." + std::string(100, '1');
  const std::string huge = std::string(200, '9');
  const std::string text =
      "[1.10,12345678901234567890123,-0.0,1e400," + pi + ",1E5," + huge + ",2]";
  EXPECT_EQ(Canonical(text), text);
  const auto document = Document::Parse(text);
  auto value = document->root().First();
  EXPECT_EQ(value->as_number(), 1.1);
  for (int i = 0; i < 3; ++i) value = value->Next();
  EXPECT_TRUE(std::isinf(value->as_number()));
  value = value->Next();
  EXPECT_EQ(value->as_number(), 3 + 1.0 / 9);
  value = value->Next()->Next();
  EXPECT_EQ(value->as_number(), 1e200);
  EXPECT_EQ(value->Next()->as_number(), 2);
}

TEST(JsonDocument, UnescapesStringsAndKeys) {
  const auto document =
      Document::Parse(R"({"\u0061\n":"\"\\\/\b\f\n\r\t\u00e5\u20ac\ud83d\ude00"})");
  ASSERT_TRUE(document.ok()) << document.error().message;
  EXPECT_EQ(document->root().Find("a\n")->as_string(),
            "\"\\/\b\f\n\r\t\xC3\xA5\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST(JsonDocument, OutlivesItsTextAndMoves) {
  std::string text = R"({"a":[1.50,"x"]})";
  auto parsed = Document::Parse(text);
  ASSERT_TRUE(parsed.ok());
  text.assign(text.size(), '!');
  Document moved = std::move(*parsed);
  Document assigned = std::move(*Document::Parse("[]"));
  assigned = std::move(moved);
  std::string out;
  Writer(out).Copy(assigned.root());
  EXPECT_EQ(out, R"({"a":[1.50,"x"]})");
}

// What a hostile or broken device sends, and what we say to it.
TEST(JsonDocument, RefusesHostileTextAndSaysWhere) {
  using namespace std::string_literals;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "unexpected end at byte 0"},
      {"   ", "unexpected end at byte 3"},
      {"{", "expected a key at byte 1"},
      {"[", "unexpected end at byte 1"},
      {"[1", "expected ',' or ']' at byte 2"},
      {"[1,]", "unexpected text at byte 3"},
      {"[,1]", "unexpected text at byte 1"},
      {"[1 2]", "expected ',' or ']' at byte 3"},
      {"{\"a\":1,}", "expected a key at byte 7"},
      {"{\"a\" 1}", "expected ':' at byte 5"},
      {"{\"a\":}", "unexpected text at byte 5"},
      {"{a:1}", "expected a key at byte 1"},
      {"{'a':1}", "expected a key at byte 1"},
      {"{\"a\":1", "expected ',' or '}' at byte 6"},
      {"[1}", "expected ',' or ']' at byte 2"},
      {"{}{}", "unexpected text after the value at byte 2"},
      {"{} x", "unexpected text after the value at byte 3"},
      {"{}\0"s, "unexpected text after the value at byte 2"},
      {"\xEF\xBB\xBF{}", "unexpected text at byte 0"},
      {"// c\n{}", "unexpected text at byte 0"},
      {"\f{}", "unexpected text at byte 0"},
      {"\xC2\xA0{}", "unexpected text at byte 0"},
      // Numbers
      {"01", "number with a leading zero at byte 0"},
      {"-01", "number with a leading zero"},
      {"+1", "unexpected text at byte 0"},
      {".5", "unexpected text at byte 0"},
      {"1.", "bad number at byte 0"},
      {"1.e5", "bad number"},
      {"1e", "bad number"},
      {"1e+", "bad number"},
      {"-", "bad number"},
      {"--1", "bad number"},
      {"1.2.3", "unexpected text after the value"},
      {"0x10", "unexpected text after the value"},
      {"1_000", "unexpected text after the value"},
      {"NaN", "unexpected text"},
      {"Infinity", "unexpected text"},
      {"-Infinity", "bad number"},
      // Literals
      {"True", "unexpected text"},
      {"nul", "unexpected text"},
      {"truex", "unexpected text after the value"},
      // Strings
      {"\"abc", "string without an end at byte 0"},
      {"\"abc\\", "unknown escape"},
      {"\"\\x41\"", "unknown escape at byte 1"},
      {"\"\\'\"", "unknown escape"},
      {"\"\\u12\"", "\\u needs four hex digits at byte 1"},
      {"\"\\u12g4\"", "\\u needs four hex digits"},
      {"\"\\U1234\"", "unknown escape"},
      {"\"a\nb\"", "control character in a string at byte 2"},
      {"\"a\0b\""s, "control character in a string at byte 2"},
      {"\"\\\0\""s, "unknown escape at byte 1"},
      {"\"\\u0000\"", "NUL in a string at byte 1"},
      {"{\"a\\u0000b\":1}", "NUL in a string at byte 3"},
      {"\"\\ud800\"", "lone surrogate at byte 1"},
      {"\"\\ud800x\"", "lone surrogate"},
      {"\"\\ud800\\n\"", "lone surrogate"},
      {"\"\\ud800\\u0041\"", "lone surrogate"},
      {"\"\\ud800\\ud800\"", "lone surrogate"},
      {"\"\\udc00\"", "lone surrogate"},
      // UTF-8
      {"\"\x80\"", "invalid UTF-8 at byte 1"},
      {"\"\xC0\x80\"", "invalid UTF-8"},
      {"\"\xC1\xBF\"", "invalid UTF-8"},
      {"\"\xE0\x80\x80\"", "invalid UTF-8"},
      {"\"\xED\xA0\x80\"", "invalid UTF-8"},
      {"\"\xF0\x80\x80\x80\"", "invalid UTF-8"},
      {"\"\xF4\x90\x80\x80\"", "invalid UTF-8"},
      {"\"\xF5\x80\x80\x80\"", "invalid UTF-8"},
      {"\"\xFF\"", "invalid UTF-8"},
      {"\"\xE2\x82\"", "invalid UTF-8"},
      {"\"\xC3", "invalid UTF-8"},
      // Duplicates
      {R"({"a":1,"a":1})", "duplicate key \"a\" at byte 7"},
      {R"({"a":1,"\u0061":2})", "duplicate key \"a\" at byte 7"},
      {R"({"x":{"b":1,"c":2,"b":3}})", "duplicate key \"b\" at byte 18"},
      {R"({"/":1,"\/":2})", "duplicate key \"/\""},
      {"{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}", "duplicate key"},
      {"{\"" + std::string(41, 'k') + "\":1,\"" + std::string(41, 'k') + "\":1}",
       "json: duplicate key at byte"},
  };
  for (const auto& [text, message] : cases) EXPECT_THAT(Refusal(text), HasSubstr(message)) << text;
}

TEST(JsonDocument, KeysThatOnlyLookAlikeAreNotDuplicates) {
  for (const char* text : {R"({"a":1,"A":2})", R"({"a":{"a":{"a":1}}})", R"([{"a":1},{"a":2}])",
                           R"({"":1," ":2})", R"({"a":1,"b":{"a":2},"c":3})"}) {
    EXPECT_EQ(Refusal(text), "accepted") << text;
  }
}

std::string ObjectOf(size_t members, std::string_view last_key) {
  std::string text = "{";
  for (size_t i = 0; i + 1 < members; ++i) text += "\"k" + std::to_string(i) + "\":1,";
  return text + "\"" + std::string(last_key) + "\":1}";
}

TEST(JsonDocument, FindsADuplicateAmongManyKeys) {
  for (const size_t members : {15U, 16U, 17U, 18U, 1000U}) {
    EXPECT_EQ(Refusal(ObjectOf(members, "last")), "accepted") << members;
    const std::string twice = ObjectOf(members, "k7");
    EXPECT_THAT(Refusal(twice),
                HasSubstr("duplicate key \"k7\" at byte " + std::to_string(twice.rfind("\"k7"))))
        << members;
  }
}

TEST(JsonDocument, LimitsAreExact) {
  EXPECT_EQ(Refusal("[1]", {.max_bytes = 3}), "accepted");
  EXPECT_THAT(Refusal("[1] ", {.max_bytes = 3}), HasSubstr("4 bytes, over the limit of 3"));
  EXPECT_EQ(Refusal("[{\"a\":[]}]", {.max_depth = 3}), "accepted");
  EXPECT_THAT(Refusal("[{\"a\":[]}]", {.max_depth = 2}), HasSubstr("nested too deep at byte 6"));
  EXPECT_THAT(Refusal("{}", {.max_depth = 0}), HasSubstr("nested too deep"));
  EXPECT_EQ(Refusal("1", {.max_depth = 0, .max_values = 0}), "accepted");
  EXPECT_EQ(Refusal("[1,{\"a\":2}]", {.max_values = 3}), "accepted");
  EXPECT_THAT(Refusal("[1,{\"a\":2}]", {.max_values = 2}), HasSubstr("too many values"));
}

TEST(JsonDocument, NoLimitAllowsMoreThanTheStackTakes) {
  const Limits open{.max_bytes = 1 << 22, .max_depth = 1 << 20, .max_values = 1 << 20};
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(Canonical("[[]]"), "[[]]");
  EXPECT_EQ(Refusal(nested(500), open), "accepted");
  EXPECT_THAT(Refusal(nested(501), open), HasSubstr("nested too deep"));
  EXPECT_THAT(Refusal(std::string(1'000'000, '['), open), HasSubstr("nested too deep"));
}

TEST(JsonWriter, WritesTheCanonicalForm) {
  std::string out;
  Writer writer(out);
  writer.BeginObject();
  writer.Key("s");
  writer.String("\"\\/\b\f\n\r\t\x01\x1f\x7f\xC3\xA5");
  writer.Key("n\n");
  writer.Number("1.50");
  writer.Key("i");
  writer.Integer(std::numeric_limits<int64_t>::min());
  writer.Key("u");
  writer.Unsigned(std::numeric_limits<uint64_t>::max());
  writer.Key("b");
  writer.Bool(true);
  writer.Key("z");
  writer.Null();
  writer.Key("a");
  writer.BeginArray();
  writer.BeginObject();
  writer.EndObject();
  writer.BeginArray();
  writer.EndArray();
  writer.Bool(false);
  writer.EndArray();
  writer.EndObject();
  EXPECT_EQ(out,
            "{\"s\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xC3\xA5\",\"n\\n\":1.50,"
            "\"i\":-9223372036854775808,\"u\":18446744073709551615,\"b\":true,\"z\":null,"
            "\"a\":[{},[],false]}");
  EXPECT_EQ(Canonical(out), out);
}

TEST(JsonWriter, ADoubleIsTheShortestTextThatReadsBackTheSame) {
  const auto text_of = [](double number) {
    std::string out;
    Writer(out).Double(number);
    return out;
  };
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(59.3293235), "59.3293235");
  EXPECT_EQ(text_of(1), "1");
  EXPECT_EQ(text_of(1e300), "1e+300");
  EXPECT_EQ(text_of(std::nan("")), "null");
  EXPECT_EQ(text_of(-std::numeric_limits<double>::infinity()), "null");
  for (const double number : {1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0}) {
    EXPECT_EQ(Document::Parse(text_of(number))->root().as_number(), number);
  }
}

TEST(JsonWriter, CopyingDropsWhiteSpaceAndNeedlessEscapesOnly) {
  EXPECT_EQ(Canonical(" { \"a\" : [ 1.0 , \"\\u00e5\\/\\u0041\" ] , \"b\" : { } } "),
            "{\"a\":[1.0,\"\xC3\xA5/A\"],\"b\":{}}");
}

TEST(JsonDeathTest, ReadingAValueAsAnotherTypeAborts) {
  const auto document = Document::Parse(R"({"s":"x","n":1})");
  const Value text = *document->root().Find("s");
  const Value number = *document->root().Find("n");
  EXPECT_EXIT((void)text.as_number(), testing::KilledBySignal(SIGABRT), "the value is a number");
  EXPECT_EXIT((void)number.as_string(), testing::KilledBySignal(SIGABRT), "the value is a string");
  EXPECT_EXIT((void)number.as_bool(), testing::KilledBySignal(SIGABRT), "the value is a bool");
  EXPECT_EXIT((void)text.source_bytes(), testing::KilledBySignal(SIGABRT), "an object or an array");
}

TEST(JsonDeathTest, WritingAnElementAsAMemberAborts) {
  const auto document = Document::Parse("[1]");
  std::string out;
  EXPECT_EXIT(Writer(out).Member(*document->root().First()), testing::KilledBySignal(SIGABRT),
              "a member of an object");
}

}  // namespace
}  // namespace tidegate::json
