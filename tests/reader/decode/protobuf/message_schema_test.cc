#include "reader/decode/protobuf/message_schema.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "tests/support/reader/protobuf_bytes.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

// report.proto and older.proto in this folder.
const std::string kSet = TIDEGATE_TEST_SCHEMAS;

class MessageSchemaTest : public testing::Test {
 protected:
  static std::shared_ptr<const MessageSchema> Schema(const std::string& message) {
    auto schema = MessageSchema::Load(kSet, message);
    EXPECT_TRUE(schema.ok()) << (schema.ok() ? "" : schema.error().message);
    return schema.ok() ? *schema : nullptr;
  }
  std::string Json(const std::string& bytes, bool refuse_unknown = false) {
    const auto text = schema_->ToJson(bytes, limits_, refuse_unknown);
    return text.ok() ? *text : "refused: " + text.error().message;
  }
  bool Refused(const std::string& bytes, bool refuse_unknown = false) {
    const auto text = schema_->ToJson(bytes, limits_, refuse_unknown);
    return !text.ok() && text.error().code == ErrorCode::kRejected;
  }

  json::Limits limits_{.max_bytes = 1'000'000, .max_depth = 8, .max_values = 1'000};
  std::shared_ptr<const MessageSchema> schema_ = Schema("fleet.Report");
};

// The JSON of an empty message: the fields of proto3 whose default looks like an unset value.
constexpr std::string_view kZeros = R"("count":0,"big":0,"bigger":0,"on":false,"state":"UNKNOWN")";

TEST_F(MessageSchemaTest, ScalarsKeepTheirValuesAndTheProtosNames) {
  EXPECT_EQ(Json(Proto()
                     .Text(1, "r1")
                     .Varint(2, 7)
                     .Varint(3, 1ull << 62)
                     .Varint(4, ~0ull)
                     .Varint(5, 1)
                     .Varint(6, 1)
                     .Text(7, "\xff\x01")
                     .Double(14, 29.99)
                     .Varint(18, 3)
                     .bytes()),
            R"({"id":"r1","count":7,"big":4611686018427387904,"bigger":18446744073709551615,)"
            R"("on":true,"state":"MOVING","raw":"/wE=","price":29.99,"below":-2})");
}

TEST_F(MessageSchemaTest, BytesOfEveryLengthAreBase64) {
  const auto raw = [&](const std::string& bytes) {
    const std::string json = Json(Proto().Text(7, bytes).bytes());
    const size_t begin = json.find(R"("raw":")") + 7;
    return json.substr(begin, json.find('"', begin) - begin);
  };
  EXPECT_EQ(raw("a"), "YQ==");
  EXPECT_EQ(raw("ab"), "YWI=");
  EXPECT_EQ(raw("abc"), "YWJj");
  EXPECT_EQ(raw("abcd"), "YWJjZA==");
}

TEST_F(MessageSchemaTest, WhatProto3CannotTellFromZeroIsZero) {
  EXPECT_EQ(Json(""), "{" + std::string(kZeros) + R"(,"price":0.0,"below":0})");
}

TEST_F(MessageSchemaTest, AWholeDoubleStaysADouble) {
  EXPECT_NE(Json(Proto().Double(14, 30).bytes()).find(R"("price":30.0)"), std::string::npos);
}

TEST_F(MessageSchemaTest, MessagesListsAndMapsAreObjectsAndArrays) {
  const std::string point = Proto().Double(1, 52.5).Float(2, 0.1f).bytes();
  const std::string json = Json(Proto()
                                    .Text(8, point)
                                    .Text(9, std::string("\x01\x02", 2))
                                    .Text(10, Proto().Text(1, "oil").Varint(2, 5).bytes())
                                    .Text(13, point)
                                    .Text(13, point)
                                    .Text(15, Proto().Varint(1, 4).Text(2, point).bytes())
                                    .bytes());
  for (const char* expected :
       {R"("point":{"lat":52.5,"speed":0.1})", R"("codes":[1,2])", R"("levels":{"oil":5})",
        R"("track":[{"lat":52.5,"speed":0.1},{"lat":52.5,"speed":0.1}])",
        R"("places":{"4":{"lat":52.5,"speed":0.1}})"}) {
    EXPECT_NE(json.find(expected), std::string::npos) << expected << " in " << json;
  }
}

TEST_F(MessageSchemaTest, PresenceIsToldWhereTheSchemaHasIt) {
  EXPECT_NE(Json(Proto().Varint(11, 0).bytes()).find(R"("maybe":0)"), std::string::npos);
  EXPECT_EQ(Json("").find("maybe"), std::string::npos);
  EXPECT_NE(Json(Proto().Varint(17, 0).bytes()).find(R"("right":0)"), std::string::npos);
}

TEST_F(MessageSchemaTest, AnEnumValueOfTheFutureIsItsNumber) {
  EXPECT_NE(Json(Proto().Varint(6, 9).bytes()).find(R"("state":9)"), std::string::npos);
}

TEST_F(MessageSchemaTest, UnknownFieldsAreKeptOrRefused) {
  const std::string bytes = Proto().Text(1, "r1").Varint(99, 5).bytes();
  EXPECT_NE(Json(bytes).find(R"("unknown_fields":"mAYF")"), std::string::npos) << Json(bytes);
  EXPECT_EQ(Json(bytes, true), "refused: fleet.Report has no field 99");
  EXPECT_TRUE(Refused(Proto().Text(8, Proto().Varint(99, 5).bytes()).bytes(), true));
}

TEST_F(MessageSchemaTest, WhatIsNoMessageIsRefused) {
  EXPECT_TRUE(Refused("{\"id\":\"r1\"}"));
  EXPECT_TRUE(
      Refused("\x0a\x05"
              "ab"));
  EXPECT_TRUE(Refused(Proto().Text(1, "r1").bytes() + "\xff"));
  EXPECT_TRUE(Refused(std::string(1, '\x0c')));  // The end of a group that never began.
}

TEST_F(MessageSchemaTest, NumbersThatJsonHasNotAreRefused) {
  EXPECT_TRUE(Refused(Proto().Double(14, std::numeric_limits<double>::quiet_NaN()).bytes()));
  EXPECT_TRUE(Refused(Proto().Double(14, std::numeric_limits<double>::infinity()).bytes()));
}

TEST_F(MessageSchemaTest, DepthCountAndSizeAreBounded) {
  std::string nested;
  for (int i = 0; i < 7; ++i) nested = Proto().Text(12, nested).bytes();
  EXPECT_FALSE(Refused(nested));
  EXPECT_TRUE(Refused(Proto().Text(12, nested).bytes()));
  EXPECT_TRUE(Refused(Proto().Text(9, std::string(2'000, '\x01')).bytes()));
  EXPECT_TRUE(Refused(Proto().Text(1, std::string(kMaxProtobufBytes, 'a')).bytes()));
}

TEST_F(MessageSchemaTest, WhatProto2RequiresMustBeThere) {
  schema_ = Schema("older.Message");
  EXPECT_EQ(Json(Proto().Text(1, "x").bytes()), R"({"a":"x"})");
  EXPECT_EQ(Json(Proto().Varint(2, 1).bytes()), "refused: older.Message without a");
}

TEST_F(MessageSchemaTest, ExtensionsComeWithTheirFullName) {
  schema_ = Schema("older.Message");
  EXPECT_EQ(Json(Proto().Text(1, "x").Varint(100, 5).bytes()), R"({"a":"x","[older.extra]":5})");
}

TEST_F(MessageSchemaTest, ATimestampIsATime) {
  schema_ = Schema("older.Dated");
  const auto dated = [](uint64_t seconds, uint64_t nanos) {
    return Proto().Text(1, Proto().Varint(1, seconds).Varint(2, nanos).bytes()).bytes();
  };
  EXPECT_EQ(Json(dated(1'705'314'600, 250'000'000)), R"({"at":"2024-01-15T10:30:00.250000000Z"})");
  EXPECT_TRUE(Refused(dated(1ull << 60, 0)));
  EXPECT_TRUE(Refused(dated(0, 1'000'000'000)));
}

TEST_F(MessageSchemaTest, TheBuiltInOneIsASalesEvent) {
  schema_ = MessageSchema::Load("", "SalesEvent").value();
  EXPECT_EQ(Json(Proto().Text(1, "S").Varint(2, 5).Double(3, 29.99).Text(4, "t").bytes()),
            R"({"sku":"S","qty":5,"price":29.99,"ts":"t"})");
}

class SchemaFilesTest : public testing::Test {
 protected:
  void Write(const char* file, std::string_view text) { std::ofstream(folder_.File(file)) << text; }
  std::string Told(const char* file, const char* message) {
    const auto schema = MessageSchema::Load(folder_.File(file), message);
    return schema.ok() ? "" : schema.error().message;
  }
  TemporaryFolder folder_;
};

TEST_F(SchemaFilesTest, WhatCannotBeIsToldWithItsPlace) {
  Write("noise.pb", "not a descriptor set");
  EXPECT_NE(Told("noise.pb", "M").find("descriptor set"), std::string::npos);
  EXPECT_NE(Told("missing.pb", "M").find("No such file"), std::string::npos);
  EXPECT_EQ(MessageSchema::Load(kSet, "fleet.Nothing").error().message,
            "there is no message 'fleet.Nothing'");
}

#if TIDEGATE_TEST_PROTO_FILES
TEST_F(SchemaFilesTest, AProtoIsReadWithWhatItImports) {
  Write("base.proto", "syntax = \"proto3\"; message Base { int32 n = 1; }");
  Write("top.proto",
        "syntax = \"proto3\"; import \"base.proto\"; import \"google/protobuf/timestamp.proto\";"
        "message Top { Base base = 1; google.protobuf.Timestamp at = 2; }");
  const auto schema = MessageSchema::Load(folder_.File("top.proto"), "Top");
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  const std::string bytes = Proto().Text(1, Proto().Varint(1, 3).bytes()).bytes();
  EXPECT_EQ((*schema)->ToJson(bytes, {}, true).value(), R"({"base":{"n":3}})");
}

TEST_F(SchemaFilesTest, AProtoThatCannotBeIsToldWithItsPlace) {
  Write("bad.proto", "syntax = \"proto3\";\nmessage M { strin a = 1; }");
  Write("cut.proto", "syntax = \"proto3\";\nmessage M { int32 a = ");
  EXPECT_NE(Told("bad.proto", "M").find("strin"), std::string::npos) << Told("bad.proto", "M");
  EXPECT_NE(Told("cut.proto", "M").find("cut.proto:2"), std::string::npos)
      << Told("cut.proto", "M");
  EXPECT_NE(Told("missing.proto", "M").find("missing.proto"), std::string::npos);
}
#else
TEST_F(SchemaFilesTest, ABuildWithoutTheParserTellsWhatItTakesInstead) {
  EXPECT_NE(Told("any.proto", "M").find("--descriptor_set_out"), std::string::npos);
}
#endif

}  // namespace
}  // namespace tidegate::reader
