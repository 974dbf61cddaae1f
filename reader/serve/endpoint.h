// The HTTP API as one table: each endpoint's path, its parameters, and who may ask it. The table
// routes requests, checks their parameters and describes itself in openapi.json. Constant; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tidegate::reader {

// Who may ask. Without the credential api.tokens everything but kAdmin is open to this machine.
enum class Access : uint8_t {
  // Anybody: the answer names no tenant.
  kOpen,
  // Any token: the answer holds the documents of the token's tenants.
  kTenant,
  // A token for every tenant: the answer names topics and tenants.
  kOperator,
  // A token for every tenant with the role admin.
  kAdmin,
};

enum class ParameterType : uint8_t {
  // The name of the tenant whose documents are shown.
  kTenant,
  // The name of the stream whose documents are shown.
  kStream,
  // The value of a member: 1 to 256 bytes of UTF-8 without control characters.
  kText,
  // The value of a member, one of the choices.
  kChoice,
  // The value of the member `active`: true for the first choice, false for the second.
  kActive,
  // The earliest time shown, RFC 3339.
  kFrom,
  // The end of the times shown, RFC 3339; itself not shown.
  kTo,
  // How many documents a page holds: 1 to kMaxLimit.
  kLimit,
  // `next_cursor` of the previous page.
  kCursor,
};

inline constexpr uint64_t kDefaultLimit = 100;
inline constexpr uint64_t kMaxLimit = 1'000;

struct Parameter {
  std::string_view name;
  ParameterType type = ParameterType::kText;
  // The documents' member that is compared; only for kText, kChoice and kActive.
  std::string_view member = {};
  // The description in openapi.json.
  std::string_view about = {};
  // The allowed values; only for kChoice and kActive.
  std::span<const std::string_view> choices = {};
};

// A member that is added to each document of an answer, unless the document has one of that name.
struct AddedMember {
  std::string_view name;
  // The document's member whose value it repeats.
  std::string_view from;
};

// A list of documents, newest first.
struct Listing {
  // Empty: the collection of the stream that the request names.
  std::string_view collection = {};
  // The member by which documents are ordered and `from` and `to` are compared.
  std::string_view time_member = "timestamp";
  std::span<const AddedMember> added = {};
  // True: a member `average` is computed from sum and count.
  bool average = false;
  // True: without `from`, only the last 24 hours are shown.
  bool last_day = false;
  // True: the documents' member `tidegate` is shown.
  bool provenance = false;
};

// Which part of the API answers.
enum class Answer : uint8_t {
  kList,
  kPage,
  kOpenApi,
  kStats,
  kHealth,
  kHealthz,
  kReadyz,
  kMetrics,
  kShutdown
};

struct Endpoint {
  std::string_view method;
  // It may hold {id} once, which matches any text that is not empty.
  std::string_view path;
  Answer answer = Answer::kList;
  Access access = Access::kTenant;
  std::string_view summary;
  // The schema of the answer in openapi.json; for a list, that of its items.
  std::string_view schema = {};
  std::span<const Parameter> parameters = {};
  // Set for kList only.
  const Listing* listing = nullptr;
};

std::span<const Endpoint> EndpointTable();

struct Route {
  // nullptr: no endpoint has this method and path.
  const Endpoint* endpoint = nullptr;
  // The part of the path that matched {id}; it points into the path.
  std::string_view id = {};
  // Without an endpoint: the method that this path allows; empty if there is no such path.
  std::string_view allowed = {};
};
// `path` must outlive the route.
Route FindRoute(std::string_view method, std::string_view path);

}  // namespace tidegate::reader
