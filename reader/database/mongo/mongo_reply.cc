#include "reader/database/mongo/mongo_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace tidegate::reader {

namespace {
// Names as in the server's error_codes.yml.
constexpr std::array<int32_t, 3> kDuplicateCodes{11000, 11001,
                                                 12582};  // DuplicateKey and its older forms
constexpr std::array<int32_t, 14> kDocumentCodes{
    2,      // BadValue
    9,      // FailedToParse
    14,     // TypeMismatch
    22,     // InvalidBSON
    52,     // DollarPrefixedFieldName
    53,     // InvalidIdField
    55,     // InvalidDBRef
    56,     // EmptyFieldName
    57,     // DottedFieldName
    73,     // InvalidNamespace
    121,    // DocumentValidationFailure
    10334,  // BSONObjectTooLarge
    17280,  // KeyTooLong
    17419,  // resulting document is too large
};
constexpr std::array<int32_t, 26> kServerCodes{
    6,      // HostUnreachable
    7,      // HostNotFound
    8,      // UnknownError of a mongos that lost its shard
    13,     // Unauthorized
    18,     // AuthenticationFailed
    64,     // WriteConcernFailed
    89,     // NetworkTimeout
    91,     // ShutdownInProgress
    100,    // UnsatisfiableWriteConcern
    133,    // FailedToSatisfyReadPreference
    134,    // ReadConcernMajorityNotAvailableYet
    189,    // PrimarySteppedDown
    262,    // ExceededTimeLimit
    279,    // ClientMarkedKilled
    317,    // ConnectionPoolExpired
    8000,   // Atlas: the account or its quota
    9001,   // SocketException
    10058,  // not primary, older form
    10107,  // NotWritablePrimary
    11600,  // InterruptedAtShutdown
    11602,  // InterruptedDueToReplStateChange
    13388,  // StaleConfig
    13435,  // NotPrimaryNoSecondaryOk
    13436,  // NotPrimaryOrSecondary
    14031,  // OutOfDiskSpace
    10003,  // CannotGrowDocumentInCappedNamespace: the collection is the wrong one
};

// Codes with which a server refuses a whole command because of one document. Codes that may also
// blame the command (BadValue, InvalidNamespace) are not among them.
constexpr std::array<int32_t, 9> kWholeCommandCodes{22, 52, 53, 55, 56, 57, 10334, 17280, 17419};

template <size_t n>
bool Contains(const std::array<int32_t, n>& codes, int32_t code) {
  return std::ranges::find(codes, code) != codes.end();
}

bool NamesOtherKeyThanId(const bson_iter_t& pattern) {
  bson_iter_t member;
  if (!BSON_ITER_HOLDS_DOCUMENT(&pattern) || !bson_iter_recurse(&pattern, &member)) return false;
  while (bson_iter_next(&member)) {
    if (std::string_view(bson_iter_key(&member)) != "_id") return true;
  }
  return false;
}

// Servers before 4.4 send no keyPattern, but name the index: "... index: serial_1 dup key: ...".
bool NamesOtherIndexThanId(std::string_view message) {
  constexpr std::string_view kIndex = " index: ";
  const size_t at = message.find(kIndex);
  return at != std::string_view::npos && !message.substr(at + kIndex.size()).starts_with("_id_");
}

bool FindArray(const bson_t* reply, const char* name, bson_iter_t* elements) {
  bson_iter_t found;
  return bson_iter_init_find(&found, reply, name) && BSON_ITER_HOLDS_ARRAY(&found) &&
         bson_iter_recurse(&found, elements);
}

Error CommandError(const bson_error_t& error) {
  return {
      BlamesDocument(error) ? ErrorCode::kRejected : ErrorCode::kUnavailable,
      fmt::format("insert: {} (domain {}, code {})",
                  error.message[0] ? error.message : "no reason given", error.domain, error.code)};
}

WriteResult ToResult(const WriteError& error) {
  const std::string reason = fmt::format("the database: {} (code {})", error.message, error.code);
  switch (ClassifyCode(error.code)) {
    case CodeClass::kDuplicate:
      if (error.other_key) return {WriteOutcome::kRejected, reason};
      return {WriteOutcome::kDuplicate, {}};
    case CodeClass::kDocument:
      return {WriteOutcome::kRejected, reason};
    case CodeClass::kConflict:
    case CodeClass::kServer:
      break;
  }
  return {WriteOutcome::kRetry, reason};
}
}  // namespace

WriteError ReadWriteError(const bson_iter_t& element) {
  WriteError error;
  bool has_pattern = false;
  bson_iter_t member;
  if (!BSON_ITER_HOLDS_DOCUMENT(&element) || !bson_iter_recurse(&element, &member)) return error;
  while (bson_iter_next(&member)) {
    const std::string_view name = bson_iter_key(&member);
    if (name == "index" && BSON_ITER_HOLDS_NUMBER(&member))
      error.index = bson_iter_as_int64(&member);
    if (name == "code" && BSON_ITER_HOLDS_NUMBER(&member))
      error.code = static_cast<int32_t>(bson_iter_as_int64(&member));
    if (name == "errmsg" && BSON_ITER_HOLDS_UTF8(&member))
      error.message = bson_iter_utf8(&member, nullptr);
    if (name != "keyPattern") continue;
    has_pattern = true;
    error.other_key = NamesOtherKeyThanId(member);
  }
  if (!has_pattern) error.other_key = NamesOtherIndexThanId(error.message);
  return error;
}

bool BlamesDocument(const bson_error_t& error) {
  return error.domain == MONGOC_ERROR_SERVER &&
         Contains(kWholeCommandCodes, static_cast<int32_t>(error.code));
}

CodeClass ClassifyCode(int32_t code) {
  if (Contains(kDuplicateCodes, code)) return CodeClass::kDuplicate;
  if (Contains(kDocumentCodes, code)) return CodeClass::kDocument;
  if (Contains(kServerCodes, code)) return CodeClass::kServer;
  return CodeClass::kConflict;
}

Result<std::vector<WriteResult>> ReadBulkReply(bool succeeded, const bson_t* reply,
                                               const bson_error_t& error, size_t count) {
  std::vector<WriteResult> results(count);
  bson_iter_t elements;
  size_t errors = 0;
  if (FindArray(reply, "writeErrors", &elements)) {
    for (; bson_iter_next(&elements); ++errors) {
      const WriteError write_error = ReadWriteError(elements);
      // A fault of the server concerns the whole command. An index that was not sent makes the
      // reply unusable.
      if (ClassifyCode(write_error.code) == CodeClass::kServer || write_error.index < 0 ||
          static_cast<size_t>(write_error.index) >= count) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("insert: {} (code {})", write_error.message, write_error.code)};
      }
      results[static_cast<size_t>(write_error.index)] = ToResult(write_error);
    }
  }
  if (FindArray(reply, "writeConcernErrors", &elements) && bson_iter_next(&elements)) {
    const WriteError concern = ReadWriteError(elements);
    return Error{ErrorCode::kUnavailable,
                 fmt::format("insert: not as durable as asked: {} (code {})", concern.message,
                             concern.code)};
  }
  // Without write errors the connection, the server or the command failed. With them the server has
  // answered, and an unordered insert has tried every document.
  if (!succeeded && errors == 0) return CommandError(error);
  return results;
}

}  // namespace tidegate::reader
