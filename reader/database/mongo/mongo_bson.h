// Documents as BSON. What becomes of numbers, times and odd keys is in README.md. Private to this
// folder; pure.
#pragma once

#include <optional>
#include <string_view>

#include "core/result.h"
#include "reader/database/document.h"
#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

// The largest document that we send; the server's own limit is 16 MiB.
inline constexpr uint32_t kMaxBsonBytes = 15 * 1024 * 1024;

// Into an empty `out`. kRejected: larger than kMaxBsonBytes, nested deeper than a server takes, or
// an id or a name with bytes that are no UTF-8.
Status AppendDocument(const Document& document, bson_t* out);

// One JSON value as a member. False: nested deeper than a server takes.
bool AppendJson(bson_t* out, std::string_view key, json::Value value);

// How a number is kept.
enum class NumberKind {
  kInt32,
  kInt64,
  kDouble,      // At most 17 significant digits: whatever a producer computed in doubles.
  kDecimal128,  // More digits than a double keeps, at most 34.
  kText,        // More digits than any BSON number keeps: a string of them.
};
// REQUIRES: a number by RFC 8259.
NumberKind ClassifyNumber(std::string_view text);

}  // namespace tidegate::reader
