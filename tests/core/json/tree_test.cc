#include "core/json/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>

#include "core/json/cjson_handle.h"

namespace tidegate::json {
namespace {

using testing::HasSubstr;

std::string TextOf(std::string_view text) {
  Tree tree;
  tree.members().Text("t", text);
  return tree.Print();
}

std::string IntegerOf(int64_t number) {
  Tree tree;
  tree.members().Integer("n", number);
  return tree.Print();
}

std::string UnsignedOf(uint64_t number) {
  Tree tree;
  tree.members().Unsigned("n", number);
  return tree.Print();
}

std::string NumberOf(double number) {
  Tree tree;
  tree.members().Number("n", number);
  return tree.Print();
}

// What the Writer of records prints of the same text.
std::string WrittenText(std::string_view text) {
  std::string out;
  Writer writer(out);
  writer.BeginObject();
  writer.Key("t");
  writer.String(text);
  writer.EndObject();
  return out;
}

Error Refused(std::string_view text, const Limits& limits = {}) {
  const auto tree = Tree::Parse(text, limits);
  EXPECT_FALSE(tree.ok()) << text.substr(0, 40);
  return tree.ok() ? Error{ErrorCode::kInvalid, ""} : tree.error();
}

Tree Parsed(std::string_view text) {
  auto tree = Tree::Parse(text);
  EXPECT_TRUE(tree.ok()) << (tree.ok() ? "" : tree.error().message);
  return tree.ok() ? std::move(tree).value() : Tree();
}

TEST(TreeTest, PrintsMembersInTheOrderOfTheCalls) {
  Tree tree;
  Members root = tree.members();
  root.Text("z", "1");
  root.Flag("a", true);
  root.Flag("b", false);
  root.Null("n");
  Members inner = root.Object("inner");
  Elements list = root.Array("list");
  inner.Integer("x", -5);
  list.Text("one");
  list.Object().Raw("r", R"([1.50,{"k":0}])");
  root.Object("empty");
  root.Array("none");
  EXPECT_EQ(tree.Print(), R"({"z":"1","a":true,"b":false,"n":null,"inner":{"x":-5},)"
                          R"("list":["one",{"r":[1.50,{"k":0}]}],"empty":{},"none":[]})");
}

TEST(TreeTest, EscapesTextAsTheWriterOfRecordsDoes) {
  std::string ascii;
  for (char c = 0; c < 127; ++c) ascii.push_back(c);
  for (const std::string& text :
       {ascii, std::string("\x7f / \\ \" caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x9a"), std::string(),
        std::string("\0", 1), std::string("a\0b\0\0c\"", 7), std::string("end\0", 4)}) {
    EXPECT_EQ(TextOf(text), WrittenText(text));
    EXPECT_TRUE(Document::Parse(TextOf(text)).ok() || text.find('\0') != std::string::npos);
  }
}

TEST(TreeTest, InvalidUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(TextOf("a\xff"
                   "b\xc3"),
            "{\"t\":\"a\xef\xbf\xbd"
            "b\xef\xbf\xbd\"}");
}

TEST(TreeTest, IntegersKeepAllDigits) {
  for (const int64_t number :
       {int64_t{0}, int64_t{-1}, int64_t{2'147'483'648}, int64_t{-2'147'483'649},
        int64_t{999'999'999'999'999}, int64_t{1'000'000'000'000'000}, int64_t{1} << 53,
        (int64_t{1} << 53) + 1, std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()}) {
    EXPECT_EQ(IntegerOf(number), "{\"n\":" + std::to_string(number) + "}");
  }
  EXPECT_EQ(UnsignedOf(std::numeric_limits<uint64_t>::max()), R"({"n":18446744073709551615})");
  uint64_t digits = 1;
  for (int length = 1; length < 20; ++length, digits = digits * 10 + 7)
    EXPECT_EQ(UnsignedOf(digits), "{\"n\":" + std::to_string(digits) + "}");
}

TEST(TreeTest, NumbersReadBackTheSame) {
  EXPECT_EQ(NumberOf(1'767'189'312.5), R"({"n":1767189312.5})");
  EXPECT_EQ(NumberOf(0.1), R"({"n":0.1})");
  EXPECT_EQ(NumberOf(-0.25), R"({"n":-0.25})");
  EXPECT_EQ(NumberOf(std::nan("")), R"({"n":null})");
  EXPECT_EQ(NumberOf(std::numeric_limits<double>::infinity()), R"({"n":null})");
  for (double number : {1.0 / 3, 9'007'199'254'740'991.0, 5e-324, 1.7976931348623157e308}) {
    const Tree tree = Parsed(NumberOf(number));
    EXPECT_EQ(*tree.root().Number("n"), number);
  }
}

TEST(TreeTest, AnEmptyRawIsNull) {
  Tree tree;
  tree.members().Raw("r", "");
  EXPECT_EQ(tree.Print(), R"({"r":null})");
}

TEST(TreeTest, ReadsTypedMembers) {
  const Tree tree = Parsed(
      " {\"t\":\"caf\\u00e9\",\"n\":-2.5,\"i\":9007199254740992,\"yes\":true,\"no\":false,"
      "\"o\":{\"a\":1,\"b\":2}} \n");
  const Item root = tree.root();
  EXPECT_EQ(*root.Text("t"), "caf\xc3\xa9");
  EXPECT_EQ(*root.Number("n"), -2.5);
  EXPECT_EQ(*root.Integer("i"), int64_t{1} << 53);
  EXPECT_TRUE(*root.Flag("yes"));
  EXPECT_FALSE(*root.Flag("no"));
  std::string keys;
  for (auto member = root.Find("o")->First(); member; member = member->Next())
    keys += member->key();
  EXPECT_EQ(keys, "ab");
}

TEST(TreeTest, AWrongMemberIsAnError) {
  const Tree tree = Parsed(R"({"t":"x","n":2.5,"big":9007199254740994,"inf":1e999,"a":[1]})");
  const Item root = tree.root();
  EXPECT_EQ(root.Text("gone").error().code, ErrorCode::kRejected);
  EXPECT_EQ(root.Text("n").error().message, R"(json: member "n": expected a text)");
  EXPECT_FALSE(root.Number("t").ok());
  EXPECT_FALSE(root.Number("inf").ok());
  EXPECT_FALSE(root.Integer("n").ok());
  EXPECT_FALSE(root.Integer("big").ok());
  EXPECT_FALSE(root.Integer("inf").ok());
  EXPECT_FALSE(root.Flag("t").ok());
  EXPECT_FALSE(root.Text("T").ok()) << "names are compared as they are";
  EXPECT_FALSE(root.Find("a")->Text("x").ok()) << "an array has no members";
  EXPECT_FALSE(root.Find("n")->First());
}

TEST(TreeTest, OfTwoMembersWithOneNameTheFirstCounts) {
  EXPECT_EQ(*Parsed(R"({"a":1,"a":2})").root().Integer("a"), 1);
}

TEST(TreeTest, RefusesWhatIsNoJson) {
  for (const char* text :
       {"",     " ",  "{",    "[",       "{\"a\"",      "{\"a\":", "{\"a\":1,", "[1,",
        "nul",  "\"", "\"\\", "\"\\u12", "\"\\ud800\"", "{a:1}",   "{}{}",      "1 2",
        "{} x", "-",  "]",    "}",       ",",           "\\",      "\"\\x\""}) {
    EXPECT_EQ(Refused(text).code, ErrorCode::kRejected);
  }
}

TEST(TreeTest, RefusesNulsAndInvalidUtf8) {
  EXPECT_THAT(Refused(std::string_view("{\"a\":1}\0", 8)).message, HasSubstr("NUL at byte 7"));
  EXPECT_THAT(Refused(std::string_view("\"a\0b\"", 5)).message, HasSubstr("NUL"));
  EXPECT_THAT(Refused(R"({"a\u0000b":1})").message, HasSubstr("NUL"));
  EXPECT_THAT(Refused("\"\xff\"").message, HasSubstr("UTF-8"));
  EXPECT_THAT(Refused("\"\xc3").message, HasSubstr("UTF-8"));
  EXPECT_EQ(*Parsed(R"({"a":"\\u0000"})").root().Text("a"), "\\u0000");
}

TEST(TreeTest, BoundsDepthSizeAndCount) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(Tree::Parse(nested(16)).ok());
  EXPECT_THAT(Refused(nested(17)).message, HasSubstr("nested too deep at byte 16"));
  EXPECT_FALSE(Tree::Parse(std::string(200'000, '[')).ok());
  EXPECT_FALSE(Tree::Parse(nested(900), {.max_depth = 100'000}).ok());
  EXPECT_TRUE(Tree::Parse(R"(["[[[[[[[[[[[[[[[[[[[[[","\"[[[[[[[[[[[[[[[[["])").ok());
  EXPECT_THAT(Refused("[1,2,3]", {.max_bytes = 6}).message, HasSubstr("over the limit of 6"));
  EXPECT_TRUE(Tree::Parse("[1,2,3]", {.max_values = 5}).ok());
  EXPECT_THAT(Refused("[1,2,3,4,5]", {.max_values = 5}).message, HasSubstr("too many values"));
}

TEST(TreeTest, ANumberBeyondADoubleIsNotRead) {
  // Versions of cJSON differ in whether such a long one is refused at once.
  const auto endless = Tree::Parse("{\"n\":" + std::string(10'000, '9') + "}");
  EXPECT_TRUE(!endless.ok() || !endless->root().Number("n").ok());
  EXPECT_FALSE(Parsed(R"({"n":-1e400})").root().Number("n").ok());
  EXPECT_EQ(*Parsed(R"({"n":123456789012345678901234567890})").root().Number("n"),
            123456789012345678901234567890.0);
}

// cJSON asks for memory only so often.
class TreeMemoryTest : public testing::Test {
 protected:
  ~TreeMemoryTest() override {
    cJSON_InitHooks(nullptr);
    EXPECT_EQ(held_, 0) << "all that was allocated is freed";
  }
  static void Allow(int allocations) {
    left_ = allocations;
    held_ = 0;
    cJSON_Hooks hooks{&Allocate, &Free};
    cJSON_InitHooks(&hooks);
  }

 private:
  static void* Allocate(size_t bytes) {
    if (left_-- <= 0) return nullptr;
    ++held_;
    return std::malloc(bytes);
  }
  static void Free(void* memory) {
    if (memory != nullptr) --held_;
    std::free(memory);
  }
  inline static int left_ = 0;
  inline static int held_ = 0;
};

std::string Everything() {
  Tree tree;
  Members root = tree.members();
  root.Text("t", std::string_view("a\0b", 3));
  root.Raw("r", "1.50");
  root.Unsigned("u", std::numeric_limits<uint64_t>::max());
  root.Array("list").Object().Number("n", 0.5);
  return tree.Print();
}

TEST_F(TreeMemoryTest, BuildingThrowsWhereMemoryEnds) {
  const std::string whole = Everything();
  int allowed = 0;
  for (;; ++allowed) {
    Allow(allowed);
    try {
      EXPECT_EQ(Everything(), whole);
      break;
    } catch (const std::bad_alloc&) {
    }
  }
  EXPECT_GT(allowed, 10);
}

TEST_F(TreeMemoryTest, ParsingRefusesWhereMemoryEnds) {
  int allowed = 0;
  for (;; ++allowed) {
    Allow(allowed);
    if (Tree::Parse(R"({"a":[1,"two",{"b":null}]})").ok()) break;
  }
  EXPECT_GT(allowed, 5);
}

TEST(TreeDeathTest, AKeyWithANulAborts) {
  Tree tree;
  EXPECT_DEATH(tree.members().Null(std::string_view("a\0b", 3)), "a key has no NUL");
}

TEST(TreeDeathTest, MembersOfAnArrayAbort) {
  EXPECT_DEATH(Parsed("[]").members(), "members are added to an object");
}

}  // namespace
}  // namespace tidegate::json
