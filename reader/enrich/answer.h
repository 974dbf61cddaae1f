// What a source said about one key. Pure; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/json/json.h"

namespace tidegate::reader {

inline constexpr size_t kMaxReplyBytes = 64 * 1024;

enum class AnswerKind {
  kValue,
  kNone,    // The source answered and has nothing for this key.
  kFailed,  // No answer, or none that can be used: ask again later.
};

struct SourceAnswer {
  AnswerKind kind = AnswerKind::kFailed;
  std::shared_ptr<const json::Document> value =
      {};                   // Of kValue; shared by all documents of the key.
  size_t bytes = 0;         // Of its text.
  std::string reason = {};  // Of kFailed, for people.
};

// Of a whole HTTP reply. 200 with one JSON value that is not null: kValue. 200 with null, 204, 404,
// 410: kNone. All else: kFailed; JSON is bounded in size, depth (8) and count (1,000).
SourceAnswer ReadAnswer(long status, std::string_view body);

}  // namespace tidegate::reader
