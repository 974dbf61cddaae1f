#include "reader/decode/message_fields.h"

#include <gtest/gtest.h>

namespace tidegate::reader {
namespace {

// "failed", "well", "silent" or "refused".
std::string FailureIn(std::string_view text) {
  const json::Document document = json::Document::Parse(text).value();
  std::optional<bool> failed;
  if (ReadFailure(document.root(), failed)) return "refused";
  return !failed ? "silent" : *failed ? "failed" : "well";
}

struct Said {
  std::string_view text;
  std::string_view failure;
};
class FailureStates : public testing::TestWithParam<Said> {};
TEST_P(FailureStates, AreTakenFromWhatTheMachineSays) {
  EXPECT_EQ(FailureIn(GetParam().text), GetParam().failure) << GetParam().text;
}
INSTANTIATE_TEST_SUITE_P(
    Table, FailureStates,
    testing::Values(Said{R"({"failure":true})", "failed"}, Said{R"({"failure":false})", "well"},
                    Said{R"({"failed":1})", "failed"}, Said{R"({"failed":0})", "well"},
                    Said{R"({"failure":null})", "well"}, Said{R"({"failure":"Yes"})", "failed"},
                    Said{R"({"failure":""})", "well"}, Said{R"({"failure":"perhaps"})", "refused"},
                    Said{R"({"failure":{"code":7}})", "failed"}, Said{R"({"failure":[]})", "well"},
                    Said{R"({"failure":["E7"]})", "failed"},
                    Said{R"({"status":"Failure"})", "failed"}, Said{R"({"status":"OK"})", "well"},
                    Said{R"({"state":"fault"})", "failed"}, Said{R"({"state":"running"})", "well"},
                    Said{R"({"status":"blue","state":"down"})", "failed"},
                    Said{R"({"status":"warming up"})", "silent"}, Said{R"({"status":5})", "silent"},
                    Said{R"({"failure":false,"status":"failed"})", "well"},
                    Said{R"({"additional_data":{"failure":true}})", "failed"},
                    Said{"{}", "silent"}));

}  // namespace
}  // namespace tidegate::reader
