// The HTTP API as a table: what is answered at which path, to whom, with which parameters. The
// table routes requests, checks their parameters and writes openapi.json. Constant; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tidegate::reader {

// Who may ask. Without a tokens file everything but kAdmin is open to this machine.
enum class Access : uint8_t {
  kOpen,      // Anybody: says nothing of any tenant.
  kTenant,    // Any token; sees its tenants' documents.
  kOperator,  // A token for every tenant: names topics and tenants.
  kAdmin,     // A token for every tenant with the role admin.
};

enum class ParameterType : uint8_t {
  kTenant,  // Whose documents.
  kStream,  // Of which stream.
  kText,    // A member that equals it: 1 to 256 bytes of UTF-8 without control characters.
  kChoice,  // The same, one of the choices.
  kActive,  // The member `active`: true for the first choice, false for the second.
  kFrom,    // RFC 3339; this time or later.
  kTo,      // RFC 3339; earlier than this time.
  kLimit,   // 1 to kMaxLimit.
  kCursor,  // `next_cursor` of the page before.
};

inline constexpr uint64_t kDefaultLimit = 100;
inline constexpr uint64_t kMaxLimit = 1'000;

struct Parameter {
  std::string_view name;
  ParameterType type = ParameterType::kText;
  std::string_view member = {};  // Of kText, kChoice and kActive.
  std::string_view about = {};
  std::span<const std::string_view> choices = {};
};

// A member that an answer has beside the document's own, where the document has none of that name.
struct AddedMember {
  std::string_view name;
  std::string_view from;  // The document's member that it repeats.
};

// A list of documents, newest first.
struct Listing {
  std::string_view collection = {};  // Empty: that of the stream.
  std::string_view time_member = "timestamp";
  std::span<const AddedMember> added = {};
  bool average = false;     // `average` is computed from sum and count.
  bool last_day = false;    // Without `from`, only the last 24 hours.
  bool provenance = false;  // The member `tidegate` is shown.
};

// What answers.
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
  std::string_view path;  // May hold {id} once, which stands for any text that is not empty.
  Answer answer = Answer::kList;
  Access access = Access::kTenant;
  std::string_view summary;
  std::string_view schema = {};  // Of the answer, in openapi.json; for a list, of its items.
  std::span<const Parameter> parameters = {};
  const Listing* listing = nullptr;  // Of kList.
};

std::span<const Endpoint> EndpointTable();

struct Route {
  const Endpoint* endpoint = nullptr;
  std::string_view id = {};       // Points into the path.
  std::string_view allowed = {};  // Without an endpoint: the method that this path takes.
};
// GET of a path before others. REQUIRES: `path` outlives the route.
Route FindRoute(std::string_view method, std::string_view path);

}  // namespace tidegate::reader
