// Converts documents to BSON. ../README.md says how numbers, times and odd keys are stored. Private
// to this folder; pure.
#pragma once

#include <optional>
#include <string_view>

#include "core/result.h"
#include "reader/database/document.h"
#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

// The largest document that is sent; the server's own limit is 16 MiB.
inline constexpr uint32_t kMaxBsonBytes = 15 * 1024 * 1024;

// Appends the document to `out`. REQUIRES: `out` is empty. kRejected: the document is larger than
// kMaxBsonBytes or nested deeper than a server accepts, or its id or a name is not UTF-8.
Status AppendDocument(const Document& document, bson_t* out);

// Appends one JSON value as a member. False: it is nested deeper than a server accepts.
bool AppendJson(bson_t* out, std::string_view key, json::Value value);

// The BSON type of a JSON number.
enum class NumberKind {
  kInt32,
  kInt64,
  // At most 17 significant digits, as producers have that compute in doubles.
  kDouble,
  // More digits than a double holds, at most 34.
  kDecimal128,
  // More digits than any BSON number holds; stored as a string.
  kText,
};
// REQUIRES: `text` is a number by RFC 8259.
NumberKind ClassifyNumber(std::string_view text);

}  // namespace tidegate::reader
