// The answer of an external source for one key. Pure; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/json/json.h"

namespace tidegate::reader {

inline constexpr size_t kMaxReplyBytes = 64 * 1024;

enum class AnswerKind {
  // The source answered with a value.
  kValue,
  // The source answered that it has nothing for this key.
  kNone,
  // There is no answer, or none that can be used: ask again later.
  kFailed,
};

struct SourceAnswer {
  AnswerKind kind = AnswerKind::kFailed;
  // Only for kValue; all documents of the key share it.
  std::shared_ptr<const json::Document> value = {};
  // The size of the value's text.
  size_t bytes = 0;
  // Only for kFailed, for people.
  std::string reason = {};
};

// Reads a whole HTTP reply. 200 with one JSON value that is not null is kValue. 200 with null, 204,
// 404 and 410 are kNone. Everything else is kFailed, and so is JSON over kMaxReplyBytes, over depth
// 8, or with over 1,000 values.
SourceAnswer ReadAnswer(long status, std::string_view body);

}  // namespace tidegate::reader
