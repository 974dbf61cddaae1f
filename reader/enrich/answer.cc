#include "reader/enrich/answer.h"

#include <fmt/format.h>

#include <utility>

namespace tidegate::reader {

namespace {
constexpr json::Limits kLimits{.max_bytes = kMaxReplyBytes, .max_depth = 8, .max_values = 1'000};
}

SourceAnswer ReadAnswer(long status, std::string_view body) {
  if (status == 204 || status == 404 || status == 410) return {.kind = AnswerKind::kNone};
  if (status != 200) return {.reason = fmt::format("it answers {}", status)};
  auto parsed = json::Document::Parse(body, kLimits);
  if (!parsed.ok()) return {.reason = fmt::format("its answer: {}", parsed.error().message)};
  if (parsed->root().type() == json::Type::kNull) return {.kind = AnswerKind::kNone};
  return {.kind = AnswerKind::kValue,
          .value = std::make_shared<const json::Document>(std::move(parsed).value()),
          .bytes = body.size()};
}

}  // namespace tidegate::reader
